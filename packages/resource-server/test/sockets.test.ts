import { connect } from 'node:http2'
import { request } from 'node:http'
import fastifyWebsocket from '@fastify/websocket'
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t, { type Test } from 'tap'
import { makeKey, signRaw } from './hand-made-issuer.js'

const key = makeKey('first')
const options = { issuer: 'https://login.example.com', audience: 'https://api.example.com', keys: [key.jwk] }

function token(): string {
  const now = Math.floor(Date.now() / 1000)
  const { issuer: iss, audience: aud } = options
  const claims = { iss, aud, sub: 's', client_id: 'payment', jti: 'j', iat: now, exp: now + 60 }
  return signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'first' }, claims, key)
}

/** What a WebSocket handshake is answered with. */
function handshake(
  t: Test,
  url: string,
  headers: Record<string, string> = {},
): Promise<[status: number | undefined, challenge: unknown]> {
  return new Promise((resolve, reject) => {
    request(url, {
      agent: false,
      headers: {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    })
      .on('response', response => {
        response.resume()
        resolve([response.statusCode, response.headers['www-authenticate']])
      })
      .on('upgrade', (response, socket) => {
        t.teardown(() => socket.destroy())
        resolve([response.statusCode, response.headers['www-authenticate']])
      })
      .on('error', reject)
      .end()
  })
}

t.test('answers a WebSocket handshake with the challenge or with 101 (@fastify/websocket)', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(fastifyWebsocket)
  await app.register(resourceServer, { ...options, scopes: ['read'] })
  const seen: unknown[] = []
  app.get('/socket', { websocket: true }, (socket, { auth }) => {
    seen.push(auth.clientId)
    socket.close()
  })
  app.get(
    '/scoped',
    { websocket: true, config: { oauth: { scopes: ['read'] } } },
    (_socket, { auth }) => void seen.push(auth),
  )
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  t.strictSame(await handshake(t, `${address}/socket`), [401, 'Bearer'])
  const [status, challenge] = await handshake(t, `${address}/socket`, { authorization: 'Bearer garbage' })
  t.equal(status, 401)
  t.match(challenge, 'error="invalid_token"')
  const authorization = `Bearer ${token()}`
  t.equal((await handshake(t, `${address}/scoped`, { authorization }))[0], 403)
  t.strictSame(seen, [], 'no handler has run')
  t.strictSame(await handshake(t, `${address}/socket`, { authorization }), [101, undefined])
  t.strictSame(seen, ['payment'])
})

t.test('protects routes over HTTP/2', async t => {
  const app = fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(resourceServer, options)
  app.get('/', async ({ auth }) => auth.clientId)
  const session = connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => session.close())
  const call = (headers: Record<string, string | string[]>): Promise<[unknown, unknown]> =>
    new Promise((resolve, reject) => {
      session
        .request({ ':path': '/', ...headers })
        .on('response', ({ ':status': status, 'www-authenticate': challenge }) =>
          resolve([status, challenge]),
        )
        .on('error', reject)
        .resume()
        .end()
    })
  const authorization = `Bearer ${token()}`
  t.strictSame(await call({ authorization }), [200, undefined])
  t.strictSame(await call({}), [401, 'Bearer'])
  t.match(await call({ authorization: 'Bearer garbage' }), [401, /error="invalid_token"/])
  t.match(await call({ authorization: `${authorization}, ${authorization}` }), [
    400,
    /error="invalid_request"/,
  ])
})
