import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import fastify from 'fastify'
import { connectToIssuer } from 'oauth-issuer-connection'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import t, { type Test } from 'tap'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'
import { fetchKeysOf } from '#src/keys/issuer-keys.js'
import { makeKey, signRaw, type SigningKey } from './hand-made-issuer.js'

const audience = 'https://api.example.com'
const now = 1_800_000_000

/** What an issuer's server answers, by path; a number is a status, 0 no answer at all. `${origin}` stands for its own. */
type Places = Readonly<Record<string, number | object>>

async function serve(t: Test, places: Places): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const place = places[request.url ?? ''] ?? 404
    if (place === 0) return
    if (typeof place === 'number') return void response.writeHead(place).end('{}')
    // oxlint-disable-next-line no-template-curly-in-string -- the place holder of the test itself
    response.end(JSON.stringify(place).replaceAll('${origin}', origin))
  })
  const origin = await listen(t, server)
  return { origin, asked }
}

/** Starts an application that needs the keys, and tells how a token with these claims fares. */
async function start(t: Test, options: Partial<ResourceServerOptions> & { issuer: string }) {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    audience,
    prefetch: 'required',
    clock: () => now * 1000,
    ...options,
  })
  app.get('/', async ({ auth }) => ({ ...auth }))
  await app.ready()
  return async (claims: Record<string, unknown>, key: SigningKey, typ = 'at+jwt') => {
    const all = { aud: audience, sub: 's', client_id: 'c', jti: 'j', iat: now, exp: now + 60, ...claims }
    const token = signRaw({ alg: key.algorithm, typ, kid: key.kid }, all, key)
    return app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })
  }
}

for (const status of [301, 302, 308, 400, 401, 403, 404, 405, 410])
  t.test(
    `finds RFC 8414 metadata at the inserted path if the OpenID path responds with ${status}`,
    async t => {
      const key = makeKey('first')
      const { origin, asked } = await serve(t, {
        '/tenant/.well-known/openid-configuration': status,
        '/.well-known/oauth-authorization-server/tenant': {
          issuer: '${origin}/tenant',
          jwks_uri: '${origin}/keys',
        },
        '/keys': { keys: [key.jwk] },
      })
      const call = await start(t, { issuer: `${origin}/tenant` })
      t.equal((await call({ iss: `${origin}/tenant` }, key)).statusCode, 200)
      t.strictSame(asked, [
        '/tenant/.well-known/openid-configuration',
        '/.well-known/oauth-authorization-server/tenant',
        '/keys',
      ])
    },
  )

for (const status of [429, 500, 503])
  t.test(`treats metadata with status ${status} as an outage, without fallback`, async t => {
    const { origin, asked } = await serve(t, {
      '/.well-known/openid-configuration': status,
      '/.well-known/oauth-authorization-server': { issuer: '${origin}', jwks_uri: '${origin}/keys' },
    })
    await t.rejects(start(t, { issuer: origin }), {
      code: 'OAUTH_ISSUER',
      message: `responded with ${status}`,
    })
    t.equal(asked.length, 1)
  })

t.test('finds moved keys within an hour, although the old URL still responds', async t => {
  const [old, fresh] = [makeKey('old'), makeKey('fresh')]
  const metadata = '/.well-known/openid-configuration'
  const places: Record<string, number | object> = {
    [metadata]: { issuer: '${origin}', jwks_uri: '${origin}/old' },
    '/old': { keys: [old.jwk] },
    '/fresh': { keys: [fresh.jwk] },
  }
  const { origin, asked } = await serve(t, places)
  let minutes = 0
  const call = await start(t, { issuer: origin, clock: () => (now + minutes * 60) * 1000 })
  const status = async (key: SigningKey): Promise<number> =>
    (await call({ iss: origin, exp: now + 86_400 }, key)).statusCode
  t.equal(await status(old), 200)
  places[metadata] = 503
  minutes += 61
  t.equal(await status(old), 200, 'keys stay in use if the metadata cannot be fetched')
  t.equal(asked.filter(path => path === metadata).length, 2)
  places[metadata] = { issuer: '${origin}', jwks_uri: '${origin}/fresh' }
  minutes += 61
  t.equal(await status(fresh), 200)
  t.equal(await status(old), 401)
})

t.test('keeps serving cached keys while the metadata request hangs', async t => {
  const metadata = '/.well-known/openid-configuration'
  const places: Record<string, number | object> = {
    [metadata]: { issuer: '${origin}', jwks_uri: '${origin}/keys' },
    '/keys': { keys: [makeKey('first').jwk] },
  }
  const { origin } = await serve(t, places)
  const [patient, hasty, hour] = [connectToIssuer(), connectToIssuer({ timeoutMs: 50 }), 3_600_000]
  t.teardown(() => Promise.all([patient.close(), hasty.close()]))
  let time = 0
  const fetchKeys = fetchKeysOf(
    {
      issuer: origin,
      jwksUri: undefined,
      metadataUrl: undefined,
      algorithms: ['ES256'],
      allowInsecureHttp: false,
      now: () => time,
      onIgnored: () => {},
    },
    // Only the exchange that hangs is short: a slow machine must fail neither of the others.
    { ...patient, exchange: () => (places[metadata] === 0 && time === hour ? hasty : patient).exchange() },
  )
  t.equal((await fetchKeys()).length, 1)
  places[metadata] = 0
  time = hour
  await t.rejects(fetchKeys(), 'the time of the exchange is over')
  time += 1
  t.equal((await fetchKeys()).length, 1, 'the next one asks where the keys were')
})

t.test('rejects metadata without jwks_uri or with an untrusted one', async t => {
  for (const [jwksUri, message] of [
    [undefined, /has no jwks_uri/],
    [5, /has no jwks_uri/],
    ['/keys', /has the jwks_uri \/keys, expected an absolute https URL/],
    ['http://keys.example.com/jwks', /expected an absolute https URL/],
    ['file:///etc/passwd', /expected an absolute https URL/],
    ['https://me:secret@keys.example.com/jwks', /jwks_uri https:\/\/…@keys\.example\.com\/jwks, expected/],
  ] as const) {
    const { origin } = await serve(t, {
      '/.well-known/openid-configuration': { issuer: '${origin}', jwks_uri: jwksUri },
    })
    await t.rejects(start(t, { issuer: origin }), { code: 'OAUTH_ISSUER', message })
  }
})

t.test('refuses an issuer with an untrusted certificate', async t => {
  const { cert, key } = await makeCertificate('issuer')
  const server = createTlsServer({ cert, key }, (_request, response) => response.end('{}'))
  const origin = await listen(t, server, 'https://127.0.0.1')
  await t.rejects(start(t, { issuer: origin }), {
    code: 'OAUTH_ISSUER',
    message: /https:\/\/127\.0\.0\.1:\d+\/\.well-known\/openid-configuration: self-signed certificate/,
  })
  await t.rejects(start(t, { issuer: origin, jwksUri: `${origin}/keys` }), {
    code: 'OAUTH_ISSUER',
    message: /https:\/\/127\.0\.0\.1:\d+\/keys: self-signed certificate/,
  })
})

t.test('supports Azure AD B2C: the metadata URL has the policy, the issuer does not', async t => {
  const key = makeKey('first', 'RS256')
  const policy = '/contoso.onmicrosoft.com/B2C_1_signin'
  const { origin } = await serve(t, {
    [`${policy}/v2.0/.well-known/openid-configuration`]: {
      issuer: '${origin}/tenant-guid/v2.0/',
      jwks_uri: `\${origin}${policy}/discovery/v2.0/keys`,
    },
    [`${policy}/discovery/v2.0/keys`]: { keys: [key.jwk] },
  })
  const issuer = `${origin}/tenant-guid/v2.0/`
  const metadataUrl = `${origin}${policy}/v2.0/.well-known/openid-configuration`
  const call = await start(t, { issuer, metadataUrl, profile: 'entra' })
  const claims = { iss: issuer, azp: 'client', ver: '1.0', tfp: 'B2C_1_signin', scp: 'read' }
  t.equal((await call(claims, key, 'JWT')).statusCode, 200)
  const ofThePolicy = { ...claims, iss: `${origin}/tfp/tenant-guid/b2c_1_signin/v2.0/` }
  t.equal((await call(ofThePolicy, key, 'JWT')).statusCode, 401, 'the other form of issuer is another issuer')
})

t.test("verifies only tokens of its tenant with a tenant's key (Entra ID)", async t => {
  const [shared, home] = [makeKey('shared', 'RS256'), makeKey('home', 'RS256')]
  const metadata = '/organizations/v2.0/.well-known/openid-configuration'
  const { origin } = await serve(t, {
    [metadata]: { issuer: '${origin}/{tenantid}/v2.0', jwks_uri: '${origin}/keys' },
    '/keys': {
      keys: [
        { ...shared.jwk, issuer: '${origin}/{tenantid}/v2.0' },
        { ...home.jwk, issuer: '${origin}/home/v2.0' },
      ],
    },
  })
  const call = await start(t, {
    issuer: `${origin}/{tenantid}/v2.0`,
    metadataUrl: `${origin}${metadata}`,
    profile: 'entra',
  })
  const of = (tid: string) => ({ iss: `${origin}/${tid}/v2.0`, tid, azp: 'client', ver: '2.0' })
  t.equal((await call(of('home'), shared, 'JWT')).statusCode, 200)
  t.equal((await call(of('other'), shared, 'JWT')).statusCode, 200)
  t.equal((await call(of('home'), home, 'JWT')).statusCode, 200)
  t.equal((await call(of('other'), home, 'JWT')).statusCode, 401)
})
