import { createServer } from 'node:http'
import fastify from 'fastify'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import resourceServer from 'fastify-resource-server'
import { listen } from 'test-support/listen'

const audience = 'https://api.example.com'
const keys = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'first', alg: 'ES256', use: 'sig' }
let asked = 0
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.url === '/jwks') {
    asked += 1
    return response.end(JSON.stringify({ keys: [jwk] }))
  }
  return response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }))
})
const issuer = await listen(t, server)

function sign(claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ client_id: 'payment', jti: 'one', scope: 'receipts:read', ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'first' })
    .setIssuer((claims['iss'] as string | undefined) ?? issuer)
    .setAudience((claims['aud'] as string | undefined) ?? audience)
    .setSubject('payment')
    .setIssuedAt()
    .setExpirationTime('5 minutes')
    .sign(keys.privateKey)
}

const app = fastify()
await app.register(resourceServer, { issuer, audience, scopes: ['receipts:read', 'receipts:write'] })
app.get(
  '/receipts',
  { config: { oauth: { scopes: ['receipts:read'] } } },
  async request => request.auth.clientId,
)
app.post('/receipts', { config: { oauth: { scopes: ['receipts:write'] } } }, async () => 'made')
app.get('/health', { config: { oauth: false } }, async () => 'well')
await app.ready()
t.teardown(() => app.close())

const call = async (method: 'GET' | 'POST', token?: string) =>
  app.inject({
    method,
    url: '/receipts',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })

t.test('accepts a token with the right audience and scope', async t => {
  const { statusCode, body } = await call('GET', await sign())
  t.strictSame([statusCode, body], [200, 'payment'])
  await call('GET', await sign({ jti: 'two' }))
  t.equal(asked, 1, 'the keys were fetched once')
})

t.test('challenges a request without a token', async t => {
  const { statusCode, headers } = await call('GET')
  t.strictSame([statusCode, headers['www-authenticate']], [401, 'Bearer'])
})

t.test('refuses a token for another audience', async t => {
  const { statusCode, headers } = await call('GET', await sign({ aud: 'https://other.example.com' }))
  t.equal(statusCode, 401)
  t.match(headers['www-authenticate'], /error="invalid_token"/)
})

t.test('names the missing scope', async t => {
  const { statusCode, headers } = await call('POST', await sign())
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], /error="insufficient_scope".*scope="receipts:write"/)
})

t.test('requires no token for public and unknown routes', async t => {
  t.equal((await app.inject('/health')).statusCode, 200)
  t.equal((await app.inject('/absent')).statusCode, 404)
})

t.test('answers 503 while the issuer has never been reached', async t => {
  const cold = fastify()
  const iss = 'http://127.0.0.1:1'
  await cold.register(resourceServer, { issuer: iss, audience })
  cold.get('/', async () => 'in')
  const { statusCode, headers } = await cold.inject({
    url: '/',
    headers: { authorization: `Bearer ${await sign({ iss })}` },
  })
  t.equal(statusCode, 503)
  t.ok(Number(headers['retry-after']) >= 1)
  await cold.close()
})

t.test('rejects a route with a scope that is not in the catalogue', async t => {
  t.throws(() => app.get('/late', { config: { oauth: { scopes: ['receipts:wirte'] } } }, async () => 'in'))
  const other = fastify()
  await other.register(resourceServer, { issuer, audience, scopes: ['receipts:write'] })
  t.throws(
    () => other.get('/', { config: { oauth: { scopes: ['receipts:wirte'] } } }, async () => 'in'),
    /did you mean "receipts:write"/,
  )
  await other.close()
})
