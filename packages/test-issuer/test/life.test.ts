import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { fetch, interceptors, request, type Agent } from 'undici'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'

const audience = 'https://api.example.com'

async function publishedKids(issuer: TestIssuer): Promise<string[]> {
  const response = await fetch(issuer.jwksUri)
  const { keys } = (await response.json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

t.test('signs with a new key after a rotation, and keeps the old key published', async t => {
  await using issuer = await createTestIssuer({ audience })
  const before = await issuer.token()
  const kid = await issuer.rotateKeys()
  const after = await issuer.token()
  t.equal(decodeProtectedHeader(after).kid, kid)
  t.same(await publishedKids(issuer), [decodeProtectedHeader(before).kid, kid])
  for (const token of [before, after]) await jwtVerify(token, createLocalJWKSet(issuer.jwks as never))
})

t.test('withdraws the signing key or an old key', async t => {
  await using issuer = await createTestIssuer({ audience })
  const first = decodeProtectedHeader(await issuer.token()).kid!
  await issuer.withdrawKey()
  const second = decodeProtectedHeader(await issuer.token()).kid!
  t.same(await publishedKids(issuer), [second])
  const third = await issuer.rotateKeys()
  await issuer.withdrawKey(second)
  t.same(await publishedKids(issuer), [third])
  await t.rejects(
    issuer.withdrawKey(first),
    new RegExp(`no published key has the kid "${first}"; .*${third}`),
  )
})

t.test('fails in the given ways, the given number of times, in order', async t => {
  await using issuer = await createTestIssuer()
  issuer.fail('jwks', { status: 503, headers: { 'retry-after': '5' }, times: 2 })
  issuer.fail('jwks', { body: '<h1>Maintenance</h1>', status: 200, times: 1 })
  issuer.fail('jwks', { body: { keys: 'none' }, times: 1 })
  const answers = []
  for (let index = 0; index < 5; index += 1) {
    const response = await fetch(issuer.jwksUri)
    answers.push([response.status, response.headers.get('retry-after'), await response.text()])
  }
  t.match(answers, [
    [503, '5', ''],
    [503, '5', ''],
    [200, null, '<h1>Maintenance</h1>'],
    [500, null, '{"keys":"none"}'],
    [200, null, /"kty":"EC"/],
  ])
  t.equal((await fetch(`${issuer.url}/.well-known/openid-configuration`)).status, 200, 'others are well')
})

t.test('fails until one endpoint or all endpoints recover', async t => {
  await using issuer = await createTestIssuer()
  const status = async (): Promise<number[]> => {
    const metadata = await fetch(`${issuer.url}/.well-known/openid-configuration`)
    return [metadata.status, (await fetch(issuer.jwksUri)).status]
  }
  issuer.fail('discovery', { status: 500 })
  issuer.fail('jwks', { status: 502 })
  t.same(await status(), [500, 502])
  t.same(await status(), [500, 502])
  issuer.recover('jwks')
  t.same(await status(), [500, 200])
  issuer.fail('jwks', { status: 502 })
  issuer.recover()
  t.same(await status(), [200, 200])
})

t.test('delays correct responses, and ends delays when the issuer closes', async t => {
  const issuer = await createTestIssuer()
  issuer.fail('jwks', { delayMs: 20, times: 1 })
  const began = performance.now()
  t.equal((await fetch(issuer.jwksUri)).status, 200)
  t.ok(performance.now() - began >= 19)
  issuer.fail('jwks', { delayMs: 3_600_000 })
  const waiting = t.rejects(fetch(issuer.jwksUri))
  while (issuer.requests.count('jwks') < 2) await new Promise(resolve => setImmediate(resolve))
  await issuer.close()
  await waiting
})

t.test('rejects invalid failures', async t => {
  await using issuer = await createTestIssuer({ listen: false })
  for (const [endpoint, failure, message] of [
    ['keys', { status: 500 }, /fail\(\) does not support the endpoint "keys"/],
    ['jwks', {}, /fail\(\): set at least one of `status`/],
    ['jwks', { delay: 5 }, /there is no option `delay`; did you mean `delayMs`\?/],
    ['jwks', { status: 99 }, /option `status` is 99; expected a whole number from 200 to 599/],
    ['jwks', { status: 500, times: 0 }, /option `times` is 0; expected a whole number from 1/],
    ['jwks', { delayMs: -1 }, /`delayMs` is -1; expected a number of milliseconds from 0 to 2147483647/],
    ['jwks', { delayMs: 1e12 }, /`delayMs` is 1000000000000; expected a number of milliseconds/],
    [
      'jwks',
      { headers: { 'retry after': '5' } },
      /`headers` is \{ retry after \}; expected valid HTTP headers/,
    ],
    ['jwks', { body: 10n }, /`body` is 10; expected a string, or a value that JSON can represent/],
    ['jwks', undefined, /fail\(\): this call expects an object of options, not undefined/],
  ] as const)
    t.throws(() => issuer.fail(endpoint as never, failure as never), { name: 'TypeError', message })
})

t.test('goes offline and comes back on the same port', async t => {
  await using issuer = await createTestIssuer()
  t.equal((await fetch(issuer.jwksUri)).status, 200)
  issuer.offline()
  await t.rejects(fetch(issuer.jwksUri), { name: 'TypeError' })
  await t.rejects(issuer.fetch(issuer.jwksUri), { cause: { code: 'ECONNREFUSED' } })
  issuer.online()
  t.equal((await fetch(issuer.jwksUri)).status, 200)
  t.equal(issuer.requests.count(), 2, 'what did not arrive was not asked')
})

t.test('creates tokens by its adjustable clock', async t => {
  let time = 1_000_000_000_000
  await using issuer = await createTestIssuer({ audience, clock: () => time, listen: false })
  const issuedAt = async (): Promise<number> => {
    const [, payload = ''] = (await issuer.token()).split('.')
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number }).iat
  }
  t.equal(await issuedAt(), 1_000_000_000)
  issuer.clock.advance(60_000)
  t.equal(await issuedAt(), 1_000_000_060)
  time += 1_000
  t.equal(await issuedAt(), 1_000_000_061)
  issuer.clock.set(new Date('2030-01-01T00:00:00Z'))
  t.equal(await issuedAt(), 1_893_456_000)
  time += 1_000
  t.equal(issuer.clock.now(), 1_893_456_001_000, 'it goes on from there')
  t.throws(() => issuer.clock.advance(Number.NaN), /clock.advance expects milliseconds/)
  t.throws(() => issuer.clock.set(new Date('soon')), /clock.set expects milliseconds or a Date/)
})

t.test('records requests in order, without secrets and tokens', async t => {
  await using issuer = await createTestIssuer()
  const { clientSecret } = issuer.registerClient({ clientId: 'payment', audience, scopes: ['a'] })
  await fetch(issuer.jwksUri)
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'payment',
    client_secret: clientSecret,
    scope: 'a',
    resource: audience,
  })
  const answer = await fetch(issuer.tokenEndpoint, { method: 'POST', body })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  await fetch(`${issuer.url}/elsewhere`)
  t.match(
    [...issuer.requests],
    [
      { method: 'GET', endpoint: 'jwks', status: 200, at: Number },
      {
        method: 'POST',
        endpoint: 'token',
        status: 200,
        clientId: 'payment',
        grantType: 'client_credentials',
        scope: 'a',
        targets: [audience],
      },
      { path: '/elsewhere', endpoint: undefined, status: 404 },
    ],
  )
  t.same(
    [issuer.requests.length, issuer.requests.count('token'), issuer.requests.of('jwks').length],
    [3, 1, 1],
  )
  t.equal(issuer.requests.at(-1)?.path, '/elsewhere')
  const kept = JSON.stringify([...issuer.requests])
  t.notOk(kept.includes(clientSecret))
  t.notOk(kept.includes(token))
  issuer.requests.clear()
  t.equal(issuer.requests.count(), 0)
})

t.test('answers through fetch and dispatcher without a socket', async t => {
  await using issuer = await createTestIssuer({ listen: false, audience })
  t.equal(issuer.url, 'https://issuer.test')
  const keys = await issuer.fetch(issuer.jwksUri)
  t.same(await keys.json(), issuer.jwks)
  await t.rejects(issuer.fetch('https://elsewhere.test/jwks'), { cause: { code: 'ECONNREFUSED' } })

  const dispatcher = issuer.dispatcher as unknown as Agent
  const { statusCode, headers, body } = await request(issuer.jwksUri, { dispatcher })
  t.equal(statusCode, 200)
  t.match(headers['content-type'], 'application/json')
  t.same(await body.json(), issuer.jwks)
  const undicis = await fetch(issuer.jwksUri, { dispatcher })
  t.same(await undicis.json(), issuer.jwks)
  const builtIn = await globalThis.fetch(issuer.jwksUri, { dispatcher } as unknown as RequestInit)
  t.same(await builtIn.json(), issuer.jwks, "Node's own fetch")

  const { clientSecret } = issuer.registerClient({ clientId: 'payment', audience })
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  const authorization = `Basic ${Buffer.from(`payment:${clientSecret}`).toString('base64')}`
  const answer = await fetch(issuer.tokenEndpoint, {
    method: 'POST',
    body: form,
    headers: { authorization },
    dispatcher,
  })
  t.match(await answer.json(), { access_token: String, token_type: 'Bearer' })
  t.equal(issuer.requests.count(), 5)
})

t.test('the dispatcher supports interceptors and aborts', async t => {
  await using issuer = await createTestIssuer({ listen: false })
  const dispatcher = issuer.dispatcher as unknown as Agent
  issuer.fail('jwks', { status: 503, times: 1 })
  const retrying = dispatcher.compose(
    interceptors.retry({ minTimeout: 1, maxRetries: 1, statusCodes: [503] }),
  )
  const { statusCode, body } = await request(issuer.jwksUri, { dispatcher: retrying })
  t.equal(statusCode, 200)
  await body.dump()

  issuer.fail('jwks', { delayMs: 30 })
  const signal = AbortSignal.timeout(5)
  await t.rejects(request(issuer.jwksUri, { dispatcher, signal }), { name: 'TimeoutError' })
  issuer.offline()
  await t.rejects(request(issuer.jwksUri, { dispatcher }), { code: 'ECONNREFUSED' })
})

t.test('fetch without a socket rejects when the caller aborts', async t => {
  await using issuer = await createTestIssuer({ listen: false })
  issuer.fail('jwks', { delayMs: 10_000 })
  const caller = new AbortController()
  const answer = issuer.fetch(issuer.jwksUri, { signal: caller.signal })
  setImmediate(() => caller.abort(new Error('enough')))
  await t.rejects(answer, /enough/)
  t.equal(issuer.requests.at(-1)?.status, undefined, 'before the answer is there')
  await t.rejects(issuer.fetch(issuer.jwksUri, { signal: caller.signal }), /enough/)
  t.equal(issuer.requests.count('jwks'), 1, 'who has given up already asks for nothing')
})

t.test('behaves the same with and without a socket for empty responses and when it goes offline', async t => {
  for (const listen of [true, false]) {
    await using issuer = await createTestIssuer({ listen })
    const ask = async (init?: RequestInit): Promise<Response> =>
      listen ? globalThis.fetch(issuer.jwksUri, init) : issuer.fetch(issuer.jwksUri, init)
    issuer.fail('jwks', { status: 204, times: 1 })
    t.equal((await ask()).status, 204)
    issuer.fail('jwks', { status: 304, body: 'dropped', times: 1 })
    t.equal((await ask()).status, 304)
    const head = await ask({ method: 'HEAD' })
    t.match([head.status, await head.text()], [200, ''])
    issuer.fail('jwks', { delayMs: 20 })
    const answer = ask()
    while (issuer.requests.length < 4) await new Promise(resolve => setImmediate(resolve))
    issuer.offline()
    await t.rejects(answer, { name: 'TypeError', message: 'fetch failed' }, `listen: ${listen}`)
  }
})

t.test('does not answer after close, which may be called twice', async t => {
  const issuer = await createTestIssuer({ audience })
  await issuer.close()
  await issuer.close()
  await t.rejects(fetch(issuer.jwksUri))
  await t.rejects(issuer.fetch(issuer.jwksUri))
  issuer.online()
  await t.rejects(issuer.fetch(issuer.jwksUri), 'not even online again')
})

t.test('runs many issuers at once, each with its own keys', async t => {
  const issuers = await Promise.all(Array.from({ length: 20 }, async () => createTestIssuer({ audience })))
  t.teardown(() => Promise.all(issuers.map(issuer => issuer.close())))
  t.equal(new Set(issuers.map(issuer => issuer.url)).size, 20)
  t.equal(new Set(issuers.map(issuer => issuer.jwks.keys[0]?.kid)).size, 20)
})
