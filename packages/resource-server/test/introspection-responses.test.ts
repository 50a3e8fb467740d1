import fastify, { type FastifyInstance } from 'fastify'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import resourceServer, {
  type IntrospectionOptions,
  type ResourceServerOptions,
} from 'fastify-resource-server'
import { makeKey, signRaw, startHandMadeIssuer } from './hand-made-issuer.js'
import { active, startOpaque, type OpaqueIssuer } from './opaque-issuer.js'
import { audience, buildApp } from './protected-app.js'

interface Protected {
  readonly app: FastifyInstance
  readonly logged: Record<string, unknown>[]
  status(token?: string): Promise<number>
}

async function protect(
  t: Test,
  opaque: OpaqueIssuer,
  introspection: Partial<IntrospectionOptions> = {},
  options: Partial<ResourceServerOptions> = {},
): Promise<Protected> {
  const logged: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }
  const app = fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: opaque.url,
    audience,
    clock: () => opaque.clock.now,
    introspection: {
      clientId: 'receipts-api',
      ...('privateKey' in introspection || 'clientAssertion' in introspection
        ? {}
        : { clientSecret: 'secret_text' }),
      ...introspection,
    },
    ...options,
  })
  app.get('/', async ({ auth }) => auth)
  const status = async (token = 'opaque'): Promise<number> =>
    (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
  return { app, logged, status }
}

const refusalOf = ({ logged }: Protected) => logged.findLast(line => line['msg'] === 'access refused')

const otherKinds: [string, unknown][] = [
  ['token_type', 'mac'],
  ['token_type', 'N_A'],
  ['token_type', 'refresh_token'],
  ['token_type', 5],
  ['token_use', 'refresh_token'],
  ['token_use', 'id'],
  ['typ', 'ID'],
  ['typ', 'Refresh'],
  ['typ', 'Offline'],
  ['typ', 'logout+jwt'],
  ['typ', {}],
  ['events', {}],
]
for (const [claim, value] of otherKinds)
  t.test(`${claim} ${JSON.stringify(value)} is not an access token`, async t => {
    const opaque = await startOpaque(t)
    const api = await protect(t, opaque)
    opaque.answers.set('opaque', active(opaque, { [claim]: value }))
    t.equal(await api.status(), 401)
    t.equal(refusalOf(api)?.['reason'], 'type')
  })

const accessTokens: [string, unknown][] = [
  ['token_type', 'Bearer'],
  ['token_type', 'bearer'],
  ['token_type', 'access_token'],
  ['token_type', null],
  ['token_use', 'access_token'],
  ['token_use', 'access'],
  ['typ', 'Bearer'],
  ['typ', 'at+jwt'],
  ['typ', null],
  ['nbf', null],
  ['sub', null],
  ['scope', null],
  ['cnf', null],
  ['username', null],
]
t.test('accepts the token types that servers use, and treats null as absent', async t => {
  for (const [claim, value] of accessTokens) {
    const opaque = await startOpaque(t)
    const api = await protect(t, opaque)
    opaque.answers.set('opaque', active(opaque, { [claim]: value }))
    t.equal(await api.status(), 200, `${claim} ${JSON.stringify(value)}`)
  }
})

t.test('refuses scopes, roles and groups of the wrong type', async t => {
  for (const claim of ['scope', 'roles', 'groups', 'entitlements'])
    for (const value of [5, true, {}, [5], ['read', {}]]) {
      const opaque = await startOpaque(t)
      const api = await protect(t, opaque)
      opaque.answers.set('opaque', active(opaque, { [claim]: value }))
      t.equal(await api.status(), 401, `${claim} ${JSON.stringify(value)}`)
      t.match(refusalOf(api), { reason: 'claim', detail: new RegExp(`claim ${claim} has the wrong type`) })
    }
})

for (const claim of ['aud', 'exp'] as const)
  t.test(`refuses a response without ${claim}, unless acceptWithout allows it`, async t => {
    for (const value of [undefined, null]) {
      const opaque = await startOpaque(t)
      opaque.answers.set('opaque', active(opaque, { [claim]: value }))
      const strict = await protect(t, opaque)
      t.equal(await strict.status(), 401)
      t.match(refusalOf(strict), {
        reason: 'claim',
        detail: new RegExp(`has no ${claim}, .*introspection\\.acceptWithout: \\['${claim}'\\]`),
      })
      const other = await protect(t, opaque, { acceptWithout: [claim === 'aud' ? 'exp' : 'aud'] })
      t.equal(await other.status(), 401, 'the option for the other one does not help')
      const lax = await protect(t, opaque, { acceptWithout: [claim] })
      t.equal(await lax.status(), 200)
    }
  })

t.test('checks optional claims if they are present', async t => {
  const opaque = await startOpaque(t)
  const api = await protect(t, opaque, { acceptWithout: ['aud', 'exp'] })
  const seconds = opaque.clock.now / 1000
  for (const [changes, reason] of [
    [{ aud: 'https://other.example.com' }, 'audience'],
    [{ aud: [] }, 'claim'],
    [{ aud: '' }, 'claim'],
    [{ exp: seconds - 60 }, 'expired'],
    [{ exp: 'soon' }, 'claim'],
  ] as const) {
    opaque.answers.set('opaque', active(opaque, changes))
    t.equal(await api.status(), 401, JSON.stringify(changes))
    t.equal(refusalOf(api)?.['reason'], reason)
  }
})

t.test('treats a token without exp as valid for cacheMs, and does not add exp to its claims', async t => {
  const opaque = await startOpaque(t)
  const { app, status } = await protect(t, opaque, { acceptWithout: ['aud', 'exp'], cacheMs: 5_000 })
  opaque.answers.set('opaque', active(opaque, { aud: undefined, exp: undefined }))
  const { json } = await app.inject({ url: '/', headers: { authorization: 'Bearer opaque' } })
  const {
    expiresAt,
    audience: named,
    claims,
  } = json<{ expiresAt: number; audience: string[]; claims: object }>()
  t.strictSame([expiresAt, named], [opaque.clock.now + 5_000, []])
  t.notOk('exp' in claims || 'aud' in claims)
  opaque.clock.now += 4_999
  t.equal(await status(), 200)
  t.equal(opaque.questions.length, 1)
  opaque.clock.now += 1
  opaque.answers.set('opaque', { active: false })
  t.equal(await status(), 401)
})

t.test('applies requiredClaims and the fixed claims of a profile to opaque tokens', async t => {
  const opaque = await startOpaque(t)
  opaque.answers.set('opaque', active(opaque))
  const required = await protect(t, opaque, {}, { requiredClaims: ['tenant'] })
  t.equal(await required.status(), 401)
  t.match(refusalOf(required), { reason: 'claim', detail: /tenant/ })
  const keycloak = await protect(t, opaque, {}, { profile: 'keycloak' })
  t.equal(await keycloak.status(), 401)
  t.equal(refusalOf(keycloak)?.['reason'], 'type')
  opaque.answers.set('opaque', active(opaque, { typ: 'Bearer' }))
  t.equal(await (await protect(t, opaque, {}, { profile: 'keycloak' })).status(), 200)
})

t.test('authenticates with a method of the metadata, or with the configured one', async t => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const basic = `Basic ${Buffer.from('receipts-api:secret_text').toString('base64')}`
  const post = { client_id: 'receipts-api', client_secret: 'secret_text' }
  const cases: [object, Partial<IntrospectionOptions>, string | undefined, object][] = [
    [{}, {}, basic, {}],
    [{ token_endpoint_auth_methods_supported: ['client_secret_post'] }, {}, undefined, post],
    [
      {
        introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      },
      {},
      basic,
      {},
    ],
    [{}, { clientAuthentication: 'client_secret_post' }, undefined, post],
    [{}, { clientAssertion: async () => 'a.b.c' }, undefined, { client_assertion: 'a.b.c' }],
    [{}, { privateKey, keyId: 'k1' }, undefined, { client_id: 'receipts-api' }],
  ]
  for (const [metadata, options, authorization, form] of cases) {
    const opaque = await startOpaque(t, metadata)
    opaque.answers.set('opaque', active(opaque))
    t.equal(await (await protect(t, opaque, options)).status(), 200, JSON.stringify([metadata, options]))
    t.equal(opaque.questions[0]?.authorization, authorization)
    t.match(opaque.questions[0]?.form, { token: 'opaque', ...form })
  }
  const opaque = await startOpaque(t)
  await (await protect(t, opaque, { privateKey, keyId: 'k1' })).status()
  const { client_assertion: assertion = '' } = opaque.questions[0]?.form ?? {}
  t.match(decodeProtectedHeader(assertion), { alg: 'ES256', kid: 'k1', typ: 'client-authentication+jwt' })
  t.match(decodeJwt(assertion), { aud: opaque.url, sub: 'receipts-api' })
})

t.test('reads a rotated secret again', async t => {
  const opaque = await startOpaque(t)
  const asked: boolean[] = []
  const clientSecret = ({ refused }: { refused: boolean }): string => {
    asked.push(refused)
    if (refused) opaque.answers.set('opaque', active(opaque))
    return refused ? 'new' : 'old'
  }
  opaque.answers.set('opaque', response => response.writeHead(401).end())
  t.equal(await (await protect(t, opaque, { clientSecret })).status(), 200)
  t.strictSame(asked, [false, true])
  const api = await protect(t, opaque, { clientSecret: () => 'wrong' })
  opaque.answers.set('opaque', response => response.writeHead(401).end())
  t.equal(await api.status(), 503)
  t.match(refusalOf(api) ?? api.logged.at(-1), {
    detail: /responded with 401: the issuer refuses the client credentials/,
  })
})

t.test('does not introspect malformed tokens', async t => {
  const opaque = await startOpaque(t)
  const { app } = await protect(t, opaque)
  const { oauth } = app as FastifyInstance & { oauth: { verify(token: string): Promise<unknown> } }
  for (const token of ['', 'a b', 'a\n', 'é', '=', 'x'.repeat(16_385)]) await t.rejects(oauth.verify(token))
  t.equal(opaque.questions.length, 0)
})

t.test('accepts known tokens and fetches keys during a flood of invented tokens', async t => {
  const key = makeKey('jwt')
  const jwks = await startHandMadeIssuer(t, [key])
  const opaque = await startOpaque(t, { jwks_uri: `${jwks.url}/jwks` })
  opaque.answers.set('known', active(opaque))
  const api = await protect(t, opaque)
  t.equal(await api.status('known'), 200)
  const held: (() => void)[] = []
  const flood = Array.from({ length: 150 }, (_, index) => `invented-${index}`)
  for (const token of flood)
    opaque.answers.set(token, response => held.push(() => response.end('{"active":false}')))
  const answers = flood.map(token => api.status(token))
  while (held.length < 100) await new Promise(resolve => setImmediate(resolve))
  opaque.clock.now += 11_000
  t.equal(
    (await Promise.all(answers.slice(100))).every(status => status === 503),
    true,
    'more than 100 at once',
  )
  const seconds = opaque.clock.now / 1000
  const claims = {
    iss: opaque.url,
    aud: audience,
    sub: 's',
    client_id: 'c',
    jti: 'j',
    iat: seconds,
    exp: seconds + 60,
  }
  t.equal(
    await api.status(signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'jwt' }, claims, key)),
    200,
    'keys are fetched',
  )
  opaque.answers.set('known', active(opaque))
  const known = api.status('known')
  held.shift()?.()
  t.equal(await known, 200)
  for (const release of held) release()
  t.equal(
    (await Promise.all(answers.slice(0, 100))).every(status => status === 401),
    true,
  )
})

t.test('names an invalid option', async t => {
  const good = { clientId: 'api', clientSecret: 'secret-text' }
  const wrong: [object, RegExp][] = [
    [
      { ...good, acceptWithout: ['sub'] },
      /`introspection\.acceptWithout\[0\]` is "sub"; expected 'aud' or 'exp'/,
    ],
    [{ ...good, acceptWithout: 'aud' }, /`introspection\.acceptWithout`/],
    [{ ...good, clientAuthentication: 'basic' }, /`introspection\.clientAuthentication` is "basic"/],
    [
      { ...good, clientAssertion: 'a' },
      /`introspection\.clientSecret` and `introspection\.clientAssertion` cannot be combined/,
    ],
    [{ ...good, assertionAudience: 'me' }, /`introspection\.assertionAudience` is "me"/],
    [
      { clientId: 'api', privateKey: 'no pem' },
      /`introspection\.privateKey` is text; expected a private key in PEM/,
    ],
    [{ clientId: 'api', signAssertion: () => {} }, /`introspection\.keyAlgorithm`/],
    [
      { clientId: 'api', clientAuthentication: 'tls_client_auth' },
      /`introspection\.certificate` and `introspection\.privateKey`/,
    ],
    [{ clientId: 'api' }, /`introspection\.clientSecret`.*`privateKey`/],
  ]
  for (const [introspection, message] of wrong) {
    const app = buildApp(t)
    app.register(resourceServer, {
      issuer: 'https://login.example.com',
      audience,
      introspection: introspection as never,
    })
    await t.rejects(async () => app.ready(), { message }, String(message))
  }
})
