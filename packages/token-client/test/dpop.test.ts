import { createHash, webcrypto } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'
import { listen } from 'test-support/listen'
import { startRealServer } from './real-server.js'
import { json, startTokenEndpoint, type Behaviour } from './token-endpoint.js'

const audience = 'https://receipts.example.com'

/** An API that checks proofs as RFC 9449 §4.3 says, and may want a nonce in them. */
async function startApi(t: Test, nonces: string[] = []) {
  const seen: JWTPayload[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse, url: string): Promise<void> => {
    const [scheme, token = ''] = request.headers.authorization?.split(' ') ?? []
    const { payload, protectedHeader } = await jwtVerify(String(request.headers['dpop']), EmbeddedJWK, {
      typ: 'dpop+jwt',
    })
    seen.push(payload)
    const [nonce] = nonces
    if (payload['nonce'] !== nonce) {
      response.writeHead(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce })
      response.end()
      return
    }
    const bound = (decodeJwt(token)['cnf'] as { jkt?: string } | undefined)?.jkt
    const right =
      scheme === 'DPoP' &&
      payload['htm'] === request.method &&
      payload['htu'] === url + (request.url ?? '').split('?')[0] &&
      payload['ath'] === createHash('sha256').update(token).digest('base64url') &&
      protectedHeader.jwk !== undefined &&
      bound === (await calculateJwkThumbprint(protectedHeader.jwk))
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(right ? 200 : 403).end(body)
  }
  const server = createServer((request, response) => {
    answer(request, response, url).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  const url = await listen(t, server)
  return { url, seen }
}

function clientOf(
  t: Test,
  issuer: string,
  baseUrl: string,
  more: Partial<TokenClientOptions> = {},
): TokenClient {
  const client = createTokenClient({
    baseUrl,
    issuer,
    clientId: 'payment',
    clientSecret: 'only in this test',
    scopes: ['receipts:write'],
    resource: audience,
    dpop: true,
    ...more,
  })
  t.teardown(() => client.close())
  return client
}

const client = { client_id: 'payment', client_secret: 'only in this test' }

for (const requireNonce of [false, true])
  t.test(
    `binds its token to a key, at a server that requires ${requireNonce ? 'a' : 'no'} nonce`,
    async t => {
      const issuer = await startRealServer(t, { clients: [client], requireNonce })
      const api = await startApi(t)
      const payment = clientOf(t, issuer, api.url)
      const { statusCode, body } = await payment.request({
        method: 'POST',
        path: '/receipts?copy=1',
        body: 'a book',
      })
      t.strictSame([statusCode, await body.text()], [200, 'a book'])
      const again = await payment.fetch('/receipts')
      t.equal(again.status, 200)
      const [first, second] = api.seen
      t.not(first?.jti, second?.jti, 'each request has a proof of its own')
    },
  )

t.test("adds the API's nonce to the proof, even after it changes, and keeps the token", async t => {
  const issuer = await startRealServer(t, { clients: [client] })
  const nonces = ['first']
  const api = await startApi(t, nonces)
  const payment = clientOf(t, issuer, api.url)
  for (const nonce of ['first', 'second']) {
    nonces[0] = nonce
    const answers = [await payment.fetch('/a', { method: 'POST', body: 'small' }), await payment.fetch('/b')]
    t.strictSame(await Promise.all(answers.map(answer => answer.text())), ['small', ''])
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200],
    )
  }
  t.strictSame(
    api.seen.map(payload => payload['nonce']),
    [undefined, 'first', 'first', 'first', 'second', 'second'],
  )
  t.equal((await payment.with({ scopes: [] }).fetch('/c')).status, 200)
  t.equal(api.seen.length, 7, 'another view knows the nonce already')
  t.match(payment.health(), { state: 'ready' })
})

t.test('a call is sent again before an endless 401 with a nonce is complete', async t => {
  const issuer = await startRealServer(t, { clients: [client] })
  const server = createServer((request, response) => {
    const { nonce } = decodeJwt(String(request.headers['dpop']))
    if (nonce === 'the nonce') return response.end('ok')
    return response
      .writeHead(401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'the nonce' })
      .write('no, because')
  })
  const payment = clientOf(t, issuer, await listen(t, server))
  t.equal(await (await payment.fetch('/')).text(), 'ok')
})

t.test('an API that always requires a new nonce causes a 401', async t => {
  const issuer = await startRealServer(t, { clients: [client] })
  let asked = 0
  const server = createServer((_, response) => {
    asked += 1
    response.writeHead(401, {
      'www-authenticate': 'DPoP error="use_dpop_nonce"',
      'dpop-nonce': `nonce-${asked}`,
    })
    response.end()
  })
  const payment = clientOf(t, issuer, await listen(t, server))
  t.equal((await payment.fetch('/')).status, 401)
  t.ok(asked <= 3, `${asked} requests`)
})

/** A token endpoint that wants its nonce in each proof, and one of the secrets; keeps what it was sent. */
async function startStrictEndpoint(t: Test, secret: string) {
  const behave: Behaviour = (response, { headers }) => {
    const { nonce } = decodeJwt(String(headers['dpop']))
    if (headers.authorization !== `Basic ${Buffer.from(`payment:${secret}`).toString('base64')}`)
      return json(response, 401, { error: 'invalid_client' })
    if (nonce === 'the nonce')
      return json(response, 200, { access_token: 'abc', token_type: 'DPoP', expires_in: 60 })
    response.setHeader('dpop-nonce', 'the nonce')
    json(response, 400, { error: 'use_dpop_nonce' })
  }
  return startTokenEndpoint(t, behave)
}

t.test('all kinds of tokens share the nonce of the server', async t => {
  const endpoint = await startStrictEndpoint(t, 'secret')
  const payment = createTokenClient({
    baseUrl: audience,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: 'secret',
    dpop: true,
  })
  t.teardown(() => payment.close())
  await payment.getToken()
  await payment.with({ scopes: ['receipts:read'] }).getToken()
  await payment.onBehalfOf('the token of a caller').getToken()
  t.strictSame(
    endpoint.requests.map(({ headers }) => decodeJwt(String(headers['dpop']))['nonce']),
    [undefined, 'the nonce', 'the nonce', 'the nonce'],
  )
})

t.test('the times of proofs come from the system clock', async t => {
  const endpoint = await startStrictEndpoint(t, 'secret')
  const api = await startApi(t)
  const payment = createTokenClient({
    baseUrl: api.url,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: 'secret',
    dpop: true,
    clock: () => 1_000_000_999,
  })
  t.teardown(() => payment.close())
  const before = Math.floor(Date.now() / 1000)
  await payment.fetch('/')
  const forServer = endpoint.requests.map(({ headers }) => decodeJwt(String(headers['dpop'])))
  t.strictSame([forServer.length, api.seen.length], [2, 1])
  for (const { iat = 0 } of [...forServer, ...api.seen]) t.ok(iat >= before && iat <= Date.now() / 1000)
})

t.test('a required nonce does not prevent the retry with a rotated secret', async t => {
  const endpoint = await startStrictEndpoint(t, 'new')
  const payment = createTokenClient({
    baseUrl: audience,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret: ({ refused }) => (refused ? 'new' : 'old'),
    dpop: true,
  })
  t.teardown(() => payment.close())
  t.match(await payment.getToken(), { accessToken: 'abc' })
  t.equal(endpoint.requests.length, 3)
})

t.test('accepts a key pair, so that the binding survives a restart', async t => {
  const pair = (await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const issuer = await startRealServer(t, { clients: [client] })
  const jkt = await calculateJwkThumbprint(
    (await webcrypto.subtle.exportKey('jwk', pair.publicKey)) as Parameters<typeof calculateJwkThumbprint>[0],
  )
  const { accessToken } = await clientOf(t, issuer, audience, { dpop: pair }).getToken()
  t.match(decodeJwt(accessToken), { cnf: { jkt } })
})

t.test('the error for an invalid option names it', async t => {
  const options = { baseUrl: audience, issuer: 'https://login.example.com', clientId: 'a', clientSecret: 'b' }
  t.throws(
    () => createTokenClient({ ...options, dpop: 'yes' as never }),
    /`dpop` is "yes"; expected true, or a CryptoKeyPair/,
  )
})
