import { Writable } from 'node:stream'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import tokenClient, {
  createTokenClient,
  type SourcedToken,
  type SourceRequest,
  type TokenClient,
  type TokenClientOptions,
  type TokenSource,
  type TokenSourceOptions,
} from 'fastify-token-client'
import { faults, internal, settle, watchProcess } from 'test-support/faults'
import { parseOptions } from '#src/options/settings.js'
import { buildTokenClient } from '#src/token-client.js'
import { ok, startApi } from './calling.js'
import { failureOf, start } from './standing-clock.js'

const baseUrl = 'https://receipts.example.com'

/** A client whose clock stands still until it is moved, without jitter. */
function clientOf(
  t: Test,
  tokenSource: TokenSource,
  more: Partial<TokenSourceOptions> = {},
): { client: TokenClient; clock: { now: number } } {
  const clock = { now: start }
  const options = { baseUrl, tokenSource, clock: () => clock.now, ...more }
  const { client } = buildTokenClient({ ...parseOptions(options, 'client'), random: () => 0 })
  t.teardown(() => client.close())
  return { client, clock }
}

/** A source that counts its calls: `token-1`, `token-2`, … */
function counting(expiresIn?: number): { source: TokenSource; requests: SourceRequest[] } {
  const requests: SourceRequest[] = []
  return {
    requests,
    async source(request) {
      requests.push(request)
      return { accessToken: `token-${requests.length}`, expiresIn }
    },
  }
}

/** An unsigned JWT: only its claims are read. */
function jwt(claims: object): string {
  return [{ alg: 'ES256' }, claims, 'signature']
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
}

t.test('calls carry the token, and the source is called once for all of them', async t => {
  const api = await startApi(t, ok)
  const { source, requests } = counting(600)
  const { client } = clientOf(t, source, { baseUrl: api.url })
  const calls = Array.from({ length: 20 }, () => [client.request({ path: '/' }), client.fetch('/')]).flat()
  await Promise.all(calls)
  t.equal(requests.length, 1)
  t.strictSame([...new Set(api.seen.map(call => call.authorization))], ['Bearer token-1'])
})

t.test('the token is renewed before it expires, while calls use the old one', async t => {
  const { source, requests } = counting(1_000)
  const { client, clock } = clientOf(t, source)
  await client.getToken()
  clock.now += 799_000
  t.equal((await client.getToken()).accessToken, 'token-1')
  await settle()
  t.equal(requests.length, 1)
  clock.now += 2_000
  t.equal((await client.getToken()).accessToken, 'token-1')
  await settle()
  t.equal((await client.getToken()).accessToken, 'token-2')
})

t.test('a source that fails is called less often, and the old token is used until it expires', async t => {
  let calls = 0
  const { client, clock } = clientOf(t, async () => {
    calls += 1
    if (calls > 1) throw new Error(internal)
    return { accessToken: 'the-first', expiresIn: 1_000 }
  })
  await client.getToken()
  clock.now += 900_000
  for (let time = 0; time < 10; time += 1) {
    t.equal((await client.getToken()).accessToken, 'the-first')
    await settle()
  }
  t.equal(calls, 2)
  clock.now += 101_000
  const failure = await failureOf(client)
  t.match(failure, { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /tokenSource failed: GET https:/ })
  await failureOf(client)
  t.equal(calls, 3, 'calls fail at once between attempts')
})

t.test('after a 401, the token is discarded, and the call is sent again with another one', async t => {
  const api = await startApi(t, ({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer token-1' ? 401 : 200).end()
  })
  const { source, requests } = counting(600)
  const { client } = clientOf(t, source, { baseUrl: api.url })
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  t.equal((await client.fetch('/')).status, 200)
  t.equal(requests.length, 2)
})

t.test('a 401 is delivered if the source has no other token', async t => {
  const api = await startApi(t, (_, response) => void response.writeHead(401).end())
  let calls = 0
  const source = (): SourcedToken => {
    calls += 1
    return { accessToken: 'always-this-one' }
  }
  const { client } = clientOf(t, source, { baseUrl: api.url })
  for (let time = 0; time < 5; time += 1) t.equal((await client.request({ path: '/' })).statusCode, 401)
  t.equal(calls, 2)
  t.equal(api.seen.length, 5, 'no call is sent again')
})

t.test('the source receives the target of the token, and each view has its own token', async t => {
  const { source, requests } = counting(600)
  const target = { scopes: ['receipts:read'], resource: 'https://receipts.example.com' }
  const { client } = clientOf(t, source, target)
  const writer = client.with({ scopes: ['receipts:write'], audience: 'a', parameters: { tenant: '7' } })
  await client.getToken()
  await writer.getToken()
  await client.with({ scopes: ['receipts:read'] }).getToken()
  t.strictSame(
    requests.map(({ scopes, resource, audience, parameters }) => ({
      scopes,
      resource,
      audience,
      parameters,
    })),
    [
      { scopes: ['receipts:read'], resource: [target.resource], audience: undefined, parameters: {} },
      {
        scopes: ['receipts:write'],
        resource: [target.resource],
        audience: 'a',
        parameters: { tenant: '7' },
      },
    ],
  )
  t.throws(() => client.with({ scope: 'receipts:write' } as never), { message: /there is no option `scope`/ })
})

t.test('the lifetime is expiresIn, or from the exp of a JWT, or one minute', async t => {
  const cases: [SourcedToken, seconds: number][] = [
    [{ accessToken: 'opaque', expiresIn: 0.5 }, 0.5],
    [{ accessToken: 'opaque', expiresIn: Infinity }, 365 * 24 * 3600],
    [{ accessToken: jwt({ exp: start / 1000 + 300 }) }, 300],
    [{ accessToken: jwt({ exp: start / 1000 + 300 }), expiresIn: 200 }, 200],
    [{ accessToken: jwt({ exp: 'soon' }) }, 60],
    [{ accessToken: jwt({}) }, 60],
    [{ accessToken: 'opaque' }, 60],
    [{ accessToken: 'opaque', expiresIn: undefined }, 60],
  ]
  for (const [token, seconds] of cases) {
    const { client } = clientOf(t, () => token)
    t.equal((await client.getToken()).expiresAt, start + seconds * 1000, JSON.stringify(token))
  }
})

const hidden = 'the-token-itself'

/** What a function may return, and what the log says of it. */
const unusable: readonly (readonly [returned: unknown, detail: RegExp])[] = [
  [undefined, /returned undefined; expected \{ accessToken: text, expiresIn: seconds \}/],
  [null, /returned null/],
  [hidden, /returned text/],
  ['', /returned empty/],
  [[hidden], /returned a list/],
  [() => hidden, /returned a function/],
  [{}, /returned \{\}, whose accessToken is undefined/],
  [
    { access_token: hidden, expires_in: 60 },
    /returned \{ access_token, expires_in \}, whose accessToken is undefined/,
  ],
  [new Map([['accessToken', hidden]]), /returned an instance of Map/],
  [{ accessToken: null }, /whose accessToken is null/],
  [{ accessToken: Buffer.from(hidden) }, /whose accessToken is an instance of Buffer/],
  [{ accessToken: '' }, /a token that is empty/],
  [{ accessToken: `${hidden}\n` }, /such as a line break at the end/],
  [{ accessToken: `${hidden}\r\nx-admin: true` }, /Appendix A\.12/],
  [{ accessToken: `Bearer ${hidden}` }, /a token that contains a space; return the token without a prefix/],
  [{ accessToken: ` ${hidden}` }, /a token that contains a space/],
  [{ accessToken: 'tökén' }, /Appendix A\.12/],
  [
    { accessToken: 'x'.repeat(65_537) },
    /a token that is 65537 characters long; the maximum is 65536 characters/,
  ],
  [{ accessToken: hidden, expiresIn: '3600' }, /returned expiresIn as text/],
  [{ accessToken: hidden, expiresIn: null }, /returned expiresIn as null/],
  [{ accessToken: hidden, expiresIn: Number.NaN }, /returned expiresIn as NaN/],
  [{ accessToken: hidden, expiresIn: 0 }, /an expired token/],
  [{ accessToken: hidden, expiresIn: -1 }, /an expired token/],
  [{ accessToken: jwt({ exp: start / 1000 - 1 }) }, /an expired token/],
  [
    {
      get accessToken(): string {
        throw new Error('a getter')
      },
    },
    /failed: a getter/,
  ],
]

for (const [index, [returned, detail]] of unusable.entries())
  t.test(`a source whose result is unusable fails the call, and the log says why (${index})`, async t => {
    const api = await startApi(t, ok)
    const { client } = clientOf(t, () => returned as SourcedToken, { baseUrl: api.url })
    const failure = await failureOf(client)
    t.equal(failure.message, 'Could not get an access token')
    t.match(failure, { code: 'TOKEN_CLIENT_UNAVAILABLE', statusCode: 503, detail })
    t.notMatch(`${failure.stack}${client.health().reason}`, hidden)
    await t.rejects(client.request({ path: '/' }), { code: 'TOKEN_CLIENT_UNAVAILABLE' })
    t.equal(api.seen.length, 0, 'nothing is sent without a token')
  })

for (const [how, fault] of Object.entries(faults))
  t.test(`if a source ${how}, calls fail in time, and the process does not end`, async t => {
    const fatal = watchProcess(t)
    const api = await startApi(t, ok)
    let works = false
    const source = (): SourcedToken => (works ? { accessToken: 'good' } : fault())
    const { client, clock } = clientOf(t, source, { baseUrl: api.url, issuerTimeoutMs: 30 })
    const calls: Promise<unknown>[] = [
      client.request({ path: '/' }),
      client.fetch('/'),
      client.get('/'),
      client.getToken(),
    ]
    for (const call of calls)
      await t.rejects(call, {
        code: 'TOKEN_CLIENT_UNAVAILABLE',
        message: /^Could not get an access token$/,
      })
    t.equal(api.seen.length, 0)
    works = true
    clock.now += 60_000
    t.equal((await client.request({ path: '/' })).statusCode, 200, 'it works again')
    await settle()
    t.strictSame(fatal, [])
  })

t.test('the signal aborts at the time limit, and a later result is ignored', async t => {
  const fatal = watchProcess(t)
  let request: SourceRequest | undefined
  let finish: ((token: SourcedToken) => void) | undefined
  const { client } = clientOf(
    t,
    given => {
      request = given
      return new Promise(resolve => (finish = resolve))
    },
    { issuerTimeoutMs: 20 },
  )
  t.match(await failureOf(client), { detail: /tokenSource failed: no token was returned within 20 ms/ })
  t.equal(request?.signal.aborted, true)
  finish?.({ accessToken: 'too-late', expiresIn: 600 })
  await settle()
  t.equal(client.peekToken(), undefined)
  t.strictSame(fatal, [])
})

t.test('the signal does not abort after the source has returned a token', async t => {
  const { source, requests } = counting(600)
  const { client } = clientOf(t, source, { issuerTimeoutMs: 10 })
  await client.getToken()
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(requests[0]?.signal.aborted, false)
})

t.test('closing the client aborts the signal, and the source is not called afterwards', async t => {
  let calls = 0
  const { client } = clientOf(t, ({ signal }) => {
    calls += 1
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  })
  const failure = failureOf(client)
  await client.close()
  t.match(await failure, { code: 'TOKEN_CLIENT_UNAVAILABLE' })
  await failureOf(client.with({ scopes: ['other'] }) as TokenClient)
  t.equal(calls, 1)
})

t.test('options of an authorization server are refused with their names', async t => {
  const wrong: Readonly<Record<string, unknown>> = {
    issuer: 'https://login.example.com',
    metadataUrl: 'https://login.example.com/metadata',
    tokenEndpoint: 'https://login.example.com/token',
    profile: 'generic',
    clientId: 'payment',
    clientSecret: 'secret',
    clientAuthentication: 'client_secret_post',
    privateKey: { kty: 'EC' },
    signAssertion: () => Buffer.from(''),
    certificate: () => '',
    issuerDispatcher: new Agent(),
    keyId: 'k1',
    keyAlgorithm: 'ES256',
    clientAssertion: 'assertion',
    clientAssertionFile: '/run/token',
    assertionAudience: 'issuer',
    onBehalfOfGrant: 'token_exchange',
    dpop: true,
    tokenStore: { store: { get() {}, set() {}, lock() {}, unlock() {} }, encryptionKeys: 'none' },
  }
  for (const [name, value] of Object.entries(wrong))
    t.throws(
      () => createTokenClient({ baseUrl, tokenSource: counting().source, [name]: value }),
      {
        code: 'TOKEN_CLIENT_INVALID_OPTION',
        message: new RegExp(`option \`${name}\` is for tokens of an authorization server`),
      },
      name,
    )
  t.throws(() => createTokenClient({ baseUrl, tokenSource: 'token' as never }), {
    message: /`tokenSource` is "token"; expected a function that returns \{ accessToken, expiresIn \}/,
  })
})

t.test('without a source, issuer and client id are required', async t => {
  const given = { baseUrl, issuer: 'https://login.example.com', clientId: 'payment', clientSecret: 'secret' }
  for (const name of ['issuer', 'clientId', 'clientSecret'] as const) {
    const { [name]: _, ...rest } = given
    t.throws(() => createTokenClient(rest as TokenClientOptions), {
      message: new RegExp(`option \`${name}\` is missing`),
    })
  }
  // @ts-expect-error clientId is missing
  t.throws(() => createTokenClient({ baseUrl, issuer: given.issuer, clientSecret: 'secret' }))
  // @ts-expect-error neither an issuer's client nor a source
  t.throws(() => createTokenClient({ baseUrl }))
  // @ts-expect-error the lifetime is a number
  createTokenClient({ baseUrl, tokenSource: () => ({ accessToken: 'a', expiresIn: '60' }) })
})

t.test('onBehalfOf is not available', async t => {
  const { client } = clientOf(t, counting().source)
  t.throws(() => client.onBehalfOf('a token'), {
    code: 'TOKEN_CLIENT_INVALID_OPTION',
    message: /onBehalfOf requires a token endpoint/,
  })
})

t.test('the plugin prefetches a token from the source, and logs its failures', async t => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const app = fastify({ logger: { stream } })
  t.teardown(() => app.close())
  const api = await startApi(t, ok)
  const { source, requests } = counting(600)
  await app.register(tokenClient, {
    name: 'receipts',
    baseUrl: api.url,
    tokenSource: source,
    prefetch: 'required',
  })
  await app.register(tokenClient, {
    name: 'broken',
    baseUrl: api.url,
    tokenSource: () => Promise.reject(new Error(internal)),
  })
  await app.ready()
  t.equal(requests.length, 1)
  await settle()
  t.match(lines.join(''), /"reason":"tokenSource failed: GET https:.*could not get an access token/)
})
