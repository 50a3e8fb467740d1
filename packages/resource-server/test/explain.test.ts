import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import t, { type Test } from 'tap'
import { createTestIssuer, type ProfileName } from 'oauth-test-issuer'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'
import { Type } from 'typebox'
import {
  createVerifier,
  explain,
  type ExplainOptions,
  type Explanation,
  type RefusalReason,
  type RefusedTokenError,
  type TokenRequirement,
  type Verifier,
  type VerifierOptions,
} from 'fastify-resource-server'
import { refusalTable } from '#src/respond/refusal-table.js'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { active, startOpaque } from './opaque-issuer.js'
import { audience, startBench, type Bench } from './protected-app.js'

async function verifierFor(t: Test, bench: Bench, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = await createVerifier({
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    prefetch: 'lazy',
    ...options,
  })
  t.teardown(() => verifier.close())
  return verifier
}

const failedIn = ({ checks }: Explanation): string[] =>
  checks.filter(({ result }) => result === 'failed').map(({ name }) => name)

/** No part of the token that could be used is in the explanation. */
function holdsNothingOf(t: Test, token: string, explanation: Explanation): void {
  const text = JSON.stringify(explanation)
  for (const part of [token, ...token.split('.')])
    if (part.length > 12) t.notOk(text.includes(part), `the explanation has ${part}`)
}

for (const profile of ['rfc9068', 'entra', 'auth0', 'keycloak', 'okta', 'cognito', 'generic'] as const)
  t.test(`${profile}: reports the refusal reason as the first failed check`, async t => {
    const issuer = await createTestIssuer({ profile, audience })
    t.teardown(() => issuer.close())
    const verifier = await createVerifier({ issuer: issuer.url, audience: audienceOf(profile), profile })
    t.teardown(() => verifier.close())
    const rule = { scopes: ['read'], roles: ['read'] } as const
    const shape = { audience, scopes: ['read'], clientId: audienceOf(profile) }
    const good = await issuer.token(shape)
    t.match(await verifier.explain(good, rule), { accepted: true, reason: undefined })
    await verifier.verify(good, rule)
    const { recognized } = await explain(good, { issuer: issuer.url, audience: audienceOf(profile) })
    t.match(recognized, { profile, misfit: undefined })
    const bad = await issuer.badTokens(shape)
    t.ok(bad.length > 10)
    for (const { name, token } of bad) {
      const reason = await reasonOf(verifier, token, rule)
      const explanation = await verifier.explain(token, rule)
      t.equal(explanation.reason, reason, name)
      t.notOk(explanation.accepted)
      for (const { result, fix, detail } of explanation.checks)
        t.equal(result === 'failed', fix !== undefined && detail !== undefined)
      holdsNothingOf(t, token, explanation)
    }
  })

const audienceOf = (profile: ProfileName): string => (profile === 'cognito' ? 'test-client' : audience)

async function reasonOf(
  verifier: Pick<Verifier, 'verify'>,
  token: string,
  rule?: TokenRequirement,
): Promise<RefusalReason | undefined> {
  return verifier.verify(token, rule).then(
    () => undefined,
    (error: unknown) => (error as RefusedTokenError).reason,
  )
}

/** Reason → a token that is refused for it, the checks that fail, and the option that is named. */
interface Case {
  readonly token: (bench: Bench) => string
  readonly failed: readonly string[]
  readonly option: string
  readonly fix: RegExp
  readonly options?: Partial<VerifierOptions>
  readonly rule?: TokenRequirement
}

const stranger = makeKey('first')
const base64url = (text: string): string => Buffer.from(text).toString('base64url')

const cases: Readonly<Partial<Record<RefusalReason, readonly Case[]>>> = {
  malformed: [
    {
      token: () => 'opaque',
      failed: ['format'],
      option: 'introspection',
      fix: /opaque.*`resource`.*`scopes`.*`introspection`/,
    },
    {
      token: bench => bench.token().slice(0, 80),
      failed: ['format'],
      option: 'introspection',
      fix: /truncated/,
    },
    { token: () => 'a.b.c.d.e', failed: ['format'], option: 'introspection', fix: /encrypted \(JWE/ },
    {
      token: bench => bench.token({}, { crit: ['b64'] }),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer to omit the header parameter/,
    },
    {
      token: bench => bench.token({}, { kid: 7 }),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer to set the header parameter kid to a string/,
    },
    {
      token: bench => bench.token({}, { typ: 7 }),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer to set the header parameter typ to a string/,
    },
    {
      token: bench => bench.token({}, { alg: undefined }),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer to set the header parameter alg/,
    },
    {
      token: () => ['{"alg":"ES256","alg":"ES256"}', '{}', 'signature'].map(base64url).join('.'),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer not to repeat member names/,
    },
    {
      token: bench => bench.token({ groups: 'x'.repeat(20_000) }),
      failed: ['format'],
      option: 'introspection',
      fix: /^Configure the issuer to include fewer claims/,
    },
  ],
  credentials: [
    { token: () => '', failed: ['format'], option: 'introspection', fix: /^No token was given/ },
    {
      token: bench => `Bearer ${bench.token()}`,
      failed: ['format'],
      option: 'introspection',
      fix: /without the authentication scheme/,
    },
    {
      token: bench => `${bench.token()}, ${bench.token()}`,
      failed: ['format'],
      option: 'introspection',
      fix: /single token/,
    },
  ],
  algorithm: [
    {
      token: bench => bench.token({}, { alg: 'HS256' }),
      failed: ['algorithm', 'allowed algorithm', 'key'],
      option: 'algorithms',
      fix: /asymmetric/,
    },
    {
      token: bench => bench.token(),
      failed: ['allowed algorithm', 'key'],
      option: 'algorithms',
      fix: /Add "ES256" to `algorithms`/,
      options: { algorithms: ['RS256'] },
    },
  ],
  issuer: [
    {
      token: bench => bench.token({ iss: 'https://other.example.com' }),
      failed: ['iss'],
      option: 'issuer',
      fix: /`issuer` to exactly "https:\/\/other\.example\.com"/,
    },
  ],
  type: [
    {
      token: bench => bench.token({}, { typ: 'JWT' }),
      failed: ['typ'],
      option: 'profile',
      fix: /`profile: 'generic'`.*`requiredClaims`/,
    },
    { token: bench => bench.token({ events: {} }), failed: ['kind'], option: 'profile', fix: /access token/ },
  ],
  claim: [
    {
      token: bench => bench.token({ client_id: undefined }),
      failed: ['required claims'],
      option: 'profile, requiredClaims',
      fix: /`profile: 'generic'`/,
    },
    {
      token: bench => bench.token({ aud: undefined }),
      failed: ['required claims'],
      option: 'profile, requiredClaims',
      fix: /`resource`.*audience mapper/,
    },
    {
      token: bench => bench.token({ exp: undefined }),
      failed: ['required claims'],
      option: 'profile, requiredClaims',
      fix: /./,
    },
    {
      token: bench => bench.token({ nbf: 'soon' }),
      failed: ['claim types'],
      option: 'none',
      fix: /RFC 7519/,
    },
    {
      token: bench => bench.token({ tenant: 7 }),
      failed: ['claims schema'],
      option: 'claims',
      fix: /claims schema/,
      options: { claims: Type.Object({ tenant: Type.String() }) },
    },
  ],
  expired: [
    {
      token: bench => bench.token({ exp: 1 }),
      failed: ['exp'],
      option: 'clockToleranceMs',
      fix: /clock of this machine/,
    },
    {
      token: bench => bench.token({ iat: 1 }),
      failed: ['age'],
      option: 'maxTokenAgeMs',
      fix: /`maxTokenAgeMs`/,
      options: { maxTokenAgeMs: 60_000 },
    },
  ],
  not_yet_valid: [
    {
      token: bench => bench.token({ nbf: 2_000_000_000 }),
      failed: ['nbf'],
      option: 'clockToleranceMs',
      fix: /clock of this machine/,
    },
    {
      token: bench => bench.token({ iat: 2_000_000_000 }),
      failed: ['iat'],
      option: 'clockToleranceMs',
      fix: /clock of this machine/,
    },
  ],
  audience: [
    {
      token: bench => bench.token({ aud: 'https://other.example.com' }),
      failed: ['audience'],
      option: 'audience',
      fix: /set `audience` to the token's audience: "https:\/\/other/,
    },
  ],
  unknown_key: [
    {
      // Older than the answer of the issuer.
      token: bench => bench.token({ iat: bench.clock.now / 1000 - 60 }, { kid: 'nowhere' }),
      failed: ['key'],
      option: 'jwksUri, metadataUrl, keys',
      fix: /`jwksUri`/,
    },
  ],
  signature: [
    { token: bench => bench.token({}, {}, stranger), failed: ['signature'], option: 'none', fix: /altered/ },
  ],
  binding: [
    {
      token: bench => bench.token({ cnf: { jkt: 'thumbprint' } }),
      failed: ['binding'],
      option: 'dpop, clientCertificate',
      fix: /`dpop`/,
    },
  ],
  scope: [
    {
      token: bench => bench.token(),
      failed: ['scopes'],
      option: "the rule's scopes, roles and audience",
      fix: /Grant the scopes/,
      rule: { scopes: ['write'] },
    },
  ],
  authentication: [
    {
      token: bench => bench.token(),
      failed: ['authentication'],
      option: "the rule's acr and maxAgeMs",
      fix: /RFC 9470/,
      rule: { acr: ['phr'] },
    },
  ],
}

t.test('names the check, the option and the fix for each reason', async t => {
  const bench = await startBench(t)
  for (const [reason, list] of Object.entries(cases))
    for (const { token: make, failed, option, fix, options, rule } of list) {
      const token = make(bench)
      const verifier = await verifierFor(t, bench, options)
      const explanation = await verifier.explain(token, rule)
      t.strictSame([explanation.reason, failedIn(explanation)], [reason, failed])
      t.match(
        explanation.checks.find(({ result }) => result === 'failed'),
        { option, fix, reason },
      )
      const refused = await reasonOf(verifier, token, rule)
      t.equal(refused, reason === 'credentials' ? 'malformed' : reason)
      holdsNothingOf(t, token, explanation)
    }
  /** Reasons that need a request, and those with a test of their own below. */
  const elsewhere = ['missing', 'proof', 'nonce', 'inactive', 'unavailable', 'revoked']
  t.strictSame([...Object.keys(cases), ...elsewhere].sort(), Object.keys(refusalTable).sort())
})

t.test('reports an unreachable issuer, and still runs the other checks', async t => {
  const bench = await startBench(t)
  bench.issuer.goAway()
  const verifier = await verifierFor(t, bench)
  const explanation = await verifier.explain(bench.token(), { scopes: ['write'] })
  t.equal(explanation.reason, 'unavailable')
  t.strictSame(failedIn(explanation), ['key', 'scopes'])
  const key = explanation.checks.find(({ name }) => name === 'key')
  t.match(key, { detail: /could not be fetched: .*127\.0\.0\.1/, fix: /./ })
  t.match(
    explanation.checks.find(({ name }) => name === 'signature'),
    { result: 'not reached' },
  )
  t.match(
    explanation.checks.find(({ name }) => name === 'audience'),
    { result: 'passed', found: `aud "${audience}"` },
  )
  t.equal(await reasonOf(verifier, bench.token()), 'unavailable')
})

/** An issuer whose keys cannot be fetched, and what the advice is. */
const outages: readonly (readonly [what: string, answer: RequestListener, fix: RegExp])[] = [
  ['has no metadata', (_, response) => response.writeHead(404).end(), /`metadataUrl` or `jwksUri`/],
  [
    'redirects',
    (_, response) => response.writeHead(301, { location: '/' }).end(),
    /`metadataUrl` or `jwksUri`/,
  ],
  [
    'names another issuer in its metadata',
    (_, response) => response.end('{"issuer":"https://other.example.com"}'),
    /`issuer` to exactly the value in the issuer's metadata/,
  ],
  ['does not answer', () => {}, /`issuerTimeoutMs`/],
  ['closes the connection', ({ socket }) => void socket.destroy(), /can reach the issuer/],
]

for (const [what, answer, fix] of outages)
  t.test(`gives advice about an issuer that ${what}`, async t => {
    const issuer = await listen(t, createServer(answer))
    const token = ['{"alg":"ES256","kid":"one"}', `{"iss":"${issuer}"}`, 'signature'].map(base64url).join('.')
    const { checks } = await explain(token, { issuer, audience, issuerTimeoutMs: 500 })
    t.match(
      checks.find(({ name }) => name === 'key'),
      { reason: 'unavailable', fix },
    )
    const options = { introspection: { clientId: 'api', clientSecret: 'secret' }, issuerTimeoutMs: 500 }
    const opaque = await explain('opaque', { issuer, audience, ...options })
    t.match(
      opaque.checks.find(({ name }) => name === 'introspection'),
      { reason: 'unavailable', fix: new RegExp(fix.source.replace('jwksUri', 'introspection.endpoint')) },
    )
  })

t.test('gives advice about an untrusted certificate of the issuer', async t => {
  const server = createTlsServer(await makeCertificate('localhost'))
  const issuer = await listen(t, server, 'https://localhost')
  const token = ['{"alg":"ES256","kid":"one"}', `{"iss":"${issuer}"}`, 'signature'].map(base64url).join('.')
  const { checks } = await explain(token, { issuer, audience })
  t.match(
    checks.find(({ name }) => name === 'key'),
    { reason: 'unavailable', fix: /`ca`/ },
  )
})

t.test('explains the introspection response for opaque tokens', async t => {
  const opaque = await startOpaque(t)
  opaque.answers.set('good', active(opaque))
  opaque.answers.set('without-aud', active(opaque, { aud: undefined }))
  opaque.answers.set('other-audience', active(opaque, { aud: 'https://other.example.com' }))
  opaque.answers.set('refused', response => void response.writeHead(401).end())
  const verifier = await createVerifier({
    issuer: opaque.url,
    audience,
    introspection: { clientId: 'api', clientSecret: 'secret' },
    profile: 'generic',
    clock: () => opaque.clock.now,
  })
  t.teardown(() => verifier.close())
  t.match(await verifier.explain('good', { scopes: ['read'] }), {
    accepted: true,
    checks: [
      { name: 'format', result: 'passed' },
      { name: 'introspection', result: 'passed' },
      { name: 'binding', result: 'skipped' },
      { name: 'scopes', result: 'passed' },
    ],
  })
  for (const [token, reason, fix] of [
    ['revoked', 'inactive', /introspect with the credentials of the client/],
    ['without-aud', 'claim', /`introspection: \{ acceptWithout: \['aud'\] \}`/],
    ['other-audience', 'audience', /`audience`/],
    ['refused', 'unavailable', /`introspection\.clientAuthentication`/],
  ] as const) {
    const explanation = await verifier.explain(token)
    t.strictSame([explanation.reason, failedIn(explanation)], [reason, ['introspection']])
    t.match(explanation.checks[1], { fix, option: 'introspection' }, token)
    t.equal(await reasonOf(verifier, token), reason)
  }
})

t.test('explains a revoked token', async t => {
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench, { revocation: {} })
  const token = bench.token()
  t.match(await verifier.explain(token), { accepted: true })
  await verifier.revoke({ keyId: 'first' }, { until: bench.clock.now + 60_000 })
  t.equal(await reasonOf(verifier, token), 'revoked')
  const explanation = await verifier.explain(token)
  t.strictSame([explanation.reason, failedIn(explanation)], ['revoked', ['revoked']])
})

t.test('passes every check for a valid token, and counts nothing', async t => {
  const bench = await startBench(t)
  const { oauth } = bench.app
  const explanation = await oauth.explain(bench.token(), { scopes: ['read'] })
  t.match(explanation, { accepted: true, reason: undefined })
  t.strictSame(
    explanation.checks.map(({ name, result }) => `${name}: ${result}`),
    [
      'format: passed',
      'algorithm: passed',
      'trusted issuer: passed',
      'allowed algorithm: passed',
      'typ: passed',
      'kind: skipped',
      'required claims: passed',
      'claim types: passed',
      'iss: passed',
      'exp: passed',
      'nbf: skipped',
      'iat: passed',
      'age: skipped',
      'audience: passed',
      'key: passed',
      'signature: passed',
      'binding: skipped',
      'scopes: passed',
      'authentication: skipped',
    ],
  )
  t.match(oauth.stats(), { allowed: 0, refused: {}, cachedTokens: 0 })
  t.strictSame(
    bench.logged.filter(({ msg }) => msg === 'access refused'),
    [],
  )
})

/** Vendor → the claims of its tokens, beside those that all have, and `typ`. */
const vendors: readonly (readonly [ProfileName, Record<string, unknown>, string | undefined])[] = [
  [
    'entra',
    {
      iss: 'https://sts.windows.net/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/',
      ver: '1.0',
      appid: 'c',
      tid: 't',
      client_id: undefined,
    },
    'JWT',
  ],
  [
    'entra',
    {
      iss: 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0',
      ver: '2.0',
      azp: 'c',
    },
    'JWT',
  ],
  ['entra', { iss: 'https://contoso.b2clogin.com/8eaef023/v2.0/', ver: '1.0', azp: 'c' }, 'JWT'],
  ['entra', { ver: '2.0', azp: 'c', tid: 't' }, 'JWT'],
  ['keycloak', { iss: 'https://sso.example.com/auth/realms/shop', typ: 'Bearer', azp: 'c' }, 'JWT'],
  ['keycloak', { typ: 'Bearer', azp: 'c', realm_access: { roles: [] } }, 'JWT'],
  ['auth0', { iss: 'https://tenant.eu.auth0.com/', azp: 'c' }, 'JWT'],
  ['auth0', { sub: 'c@clients', azp: 'c', gty: 'client-credentials' }, 'JWT'],
  ['okta', { iss: 'https://dev-1.okta.com/oauth2/default', cid: 'c' }, undefined],
  ['okta', { ver: 1, cid: 'c', scp: ['read'] }, undefined],
  [
    'cognito',
    {
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a',
      token_use: 'access',
      aud: undefined,
    },
    undefined,
  ],
  ['cognito', { token_use: 'access', aud: undefined }, undefined],
]

t.test('recognizes the vendor from the claims and suggests its profile', async t => {
  const bench = await startBench(t)
  for (const [profile, claims, typ] of vendors) {
    const token = bench.token(claims, { typ })
    const explanation = await (await verifierFor(t, bench)).explain(token)
    t.match(explanation.recognized, { profile, misfit: undefined }, JSON.stringify(claims))
    t.match(
      explanation.checks.find(({ name }) => name === 'typ'),
      { fix: new RegExp(`profile: '${profile}'`) },
    )
    const options = {
      profile,
      issuer: (claims['iss'] as string | undefined) ?? bench.issuer.url,
      keys: [bench.key.jwk],
      ...(profile === 'cognito' ? { audience: 'payment' } : {}),
    }
    t.match(await (await verifierFor(t, bench, options)).explain(token), { accepted: true }, profile)
  }
})

t.test('does not suggest a profile for an ID token', async t => {
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench, { profile: 'keycloak' })
  const id = bench.token({ iss: 'https://sso.example.com/realms/shop', typ: 'ID', azp: 'c' }, { typ: 'JWT' })
  const { checks } = await verifier.explain(id)
  t.match(
    checks.find(({ name }) => name === 'kind'),
    { result: 'failed', found: 'typ "ID"', fix: /is not an access token.*send the access token/ },
  )
})

t.test('shortens values, escapes invisible characters, and omits tokens in claims', async t => {
  const bench = await startBench(t)
  const inner = signRaw({ alg: 'ES256' }, { sub: 'alice' }, bench.key)
  const verifier = await verifierFor(t, bench)
  for (const [iss, found] of [
    ['x\u001b[31m\u202e\u2028\u0085y', 'iss "x\\u001b[31m\\u{202e}\\u{2028}\\u{85}y"'],
    [inner, 'iss "(a token)"'],
    ['https://payments.bookstore.example', 'iss "https://payments.bookstore.example"'],
    ['i'.repeat(5_000), `iss "${'i'.repeat(159)}…`],
  ] as const) {
    const { checks } = await verifier.explain(bench.token({ iss }))
    const check = checks.find(({ name }) => name === 'iss')
    t.match(check, { result: 'failed', found })
    t.equal(check?.fix?.includes(iss), found.includes(iss))
  }
})

t.test('shows valid times as dates', async t => {
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench)
  for (const [exp, found] of [
    [1, 'exp 1 (1970-01-01T00:00:01Z)'],
    [1.5, 'exp 1.5 (1970-01-01T00:00:01.500Z)'],
    [1e20, 'exp 100000000000000000000'],
    ['soon', 'exp "soon"'],
  ] as const) {
    const { checks } = await verifier.explain(bench.token({ exp }))
    t.equal(checks.find(({ name }) => name === 'exp')?.found, found)
  }
})

t.test('checks only tokens of configured issuers further', async t => {
  const bench = await startBench(t)
  const other = { issuer: 'https://other.example.com', audience }
  const verifier = await createVerifier({
    issuers: [
      { issuer: bench.issuer.url, audience, keys: [bench.key.jwk] },
      { ...other, keys: [stranger.jwk] },
    ],
    clock: () => bench.clock.now,
  })
  t.teardown(() => verifier.close())
  const explanation = await verifier.explain(bench.token({ iss: 'https://third.example.com' }))
  t.strictSame([explanation.reason, failedIn(explanation)], ['issuer', ['trusted issuer']])
  t.match(
    explanation.checks.find(({ result }) => result === 'failed'),
    { option: 'issuers', fix: /third\.example\.com/ },
  )
  t.match(
    explanation.checks.find(({ name }) => name === 'audience'),
    { result: 'not reached', found: '' },
  )
  t.match(await verifier.explain(bench.token()), { accepted: true })
})

t.test('names no option if iss or exp is missing', async t => {
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench)
  for (const claim of ['iss', 'exp'])
    for (const value of [undefined, null]) {
      const { checks } = await verifier.explain(bench.token({ [claim]: value }))
      const check = checks.find(({ name }) => name === 'required claims')
      t.match(check, {
        result: 'failed',
        fix: new RegExp(`^Configure the issuer to include the claim ${claim}`),
      })
      t.notMatch(check?.fix, /requiredClaims|profile/)
    }
})

t.test('refuses a token without a proof if requests require one', async t => {
  const bench = await startBench(t, { dpop: 'require' })
  const { oauth } = bench.app
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 401)
  const explanation = await oauth.explain(token)
  t.match(explanation, { accepted: false, reason: bench.lastReason() })
  t.match(
    explanation.checks.find(({ name }) => name === 'binding'),
    { found: 'cnf absent', fix: /`dpop: 'allow'`/ },
  )
  t.match(await oauth.explain(token, { dpop: 'allow' } as never), { accepted: true })
  t.match(await oauth.explain(bench.token({ cnf: { jkt: 'x' } })), { reason: 'binding' })
})

t.test('rejects requirements that only a request can meet, like verify', async t => {
  const { app, token } = await startBench(t, { dpop: 'allow' })
  for (const rule of [{ dpop: 'require' }, { optional: true }, { report: { scopes: ['read'] } }] as never[]) {
    await t.rejects(app.oauth.verify(token(), rule))
    await t.rejects(app.oauth.explain(token(), rule), {
      code: 'OAUTH_INVALID_ROUTE',
      message: /oauth\.explain/,
    })
  }
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench)
  await t.rejects(verifier.explain(bench.token(), { optional: true } as never), {
    code: 'OAUTH_INVALID_ROUTE',
  })
})

t.test('does not delay new keys by explanations of unknown key ids', async t => {
  const bench = await startBench(t)
  const verifier = await verifierFor(t, bench)
  await verifier.verify(bench.token())
  const reasons: unknown[] = []
  for (let index = 0; index < 6; index += 1)
    reasons.push((await verifier.explain(bench.token({}, { kid: `unknown ${index}` }))).reason)
  t.strictSame(reasons.slice(0, 3), ['unknown_key', 'unknown_key', 'unavailable'])
  const { checks } = await verifier.explain(bench.token({}, { kid: 'another' }))
  t.match(
    checks.find(({ name }) => name === 'key'),
    { detail: /too many tokens with unknown key ids/, fix: /`unknownKeyCooldownMs`/ },
  )
  const second = makeKey('second')
  bench.issuer.keys.push(second.jwk)
  await verifier.verify(bench.token({}, {}, second))
})

t.test('does not delay new issuers by explanations of unknown issuers', async t => {
  const bench = await startBench(t)
  const verifier = await createVerifier({
    issuers: issuer => (issuer === bench.issuer.url ? { issuer, audience } : undefined),
    clock: () => bench.clock.now,
  })
  t.teardown(() => verifier.close())
  let last: Explanation | undefined
  for (let index = 0; index < 150; index += 1)
    last = await verifier.explain(bench.token({ iss: `https://invented-${index}.example.com` }))
  t.match(
    last?.checks.find(({ name }) => name === 'trusted issuer'),
    { reason: 'unavailable', fix: /try again/ },
  )
  await verifier.verify(bench.token())
})

t.test('throws for invalid arguments', async t => {
  const options: ExplainOptions = { issuer: 'https://login.example.com', audience, keys: [stranger.jwk] }
  await t.rejects(explain('x', { ...options, audience: '' }), { code: 'OAUTH_INVALID_OPTION' })
  await t.rejects(explain('x', { ...options, scopes: ['read'], rule: { scopes: ['raed'] } }), {
    code: 'OAUTH_INVALID_ROUTE',
  })
  for (const wrong of [undefined, null, 'https://login.example.com'])
    await t.rejects(explain('x', wrong as never), {
      code: 'OAUTH_INVALID_OPTION',
      message: /explain expects an object of options/,
    })
  t.match(await explain(7 as never, options), { accepted: false, reason: 'credentials' })
})
