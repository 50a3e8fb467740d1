import { createLocalJWKSet, jwtVerify, type errors, type JWTVerifyOptions } from 'jose'
import t from 'tap'
import { createTestIssuer, type BadToken, type TestIssuer } from 'oauth-test-issuer'

const audience = 'https://api.example.com'
const scope = 'receipts:read'

/** A verifier by RFC 9068 §4 that shares no code with the plugins. It also compares scopes. */
async function refusal(issuer: TestIssuer, token: string, without: object = {}): Promise<unknown> {
  const options: JWTVerifyOptions = {
    issuer: issuer.url,
    audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    ...without,
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(issuer.jwks as never), options)
    return payload['scope'] === scope ? 'accepted' : 'scope'
  } catch (error) {
    const { code, claim } = error as errors.JWTClaimValidationFailed
    return claim === undefined ? code : `${code} ${claim}`
  }
}

/** Maps the name of an invalid token to the error of jose. */
const expected: Readonly<Record<string, string | RegExp>> = {
  expired: 'ERR_JWT_EXPIRED exp',
  withoutExpiry: 'ERR_JWT_CLAIM_VALIDATION_FAILED exp',
  textExpiry: 'ERR_JWT_CLAIM_VALIDATION_FAILED exp',
  notYetValid: 'ERR_JWT_CLAIM_VALIDATION_FAILED nbf',
  wrongAudience: 'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
  withoutAudience: 'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
  wrongIssuer: 'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
  withoutIssuer: 'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
  wrongType: 'ERR_JWT_CLAIM_VALIDATION_FAILED typ',
  idToken: /^ERR_JWT_CLAIM_VALIDATION_FAILED/,
  missingScope: 'scope',
  algNone: 'ERR_JOSE_ALG_NOT_ALLOWED',
  withoutSignature: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  hmacWithPublicKey: 'ERR_JOSE_ALG_NOT_ALLOWED',
  unknownKey: 'ERR_JWKS_NO_MATCHING_KEY',
  foreignKey: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  embeddedKey: 'ERR_JWKS_NO_MATCHING_KEY',
  keyFromAnywhere: 'ERR_JWKS_NO_MATCHING_KEY',
  criticalExtension: 'ERR_JOSE_NOT_SUPPORTED',
  tamperedPayload: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  tamperedSignature: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  garbage: /^ERR_JW/,
}

t.test('every invalid token is rejected for the intended reason', async t => {
  await using issuer = await createTestIssuer({ audience })
  const good = { scopes: [scope] }
  t.equal(await refusal(issuer, await issuer.token(good)), 'accepted')
  const bad = await issuer.badTokens(good)
  t.same(bad.map(({ name }) => name).sort(), Object.keys(expected).sort())
  for (const { name, token } of bad) t.match(await refusal(issuer, token), expected[name]!, name)
})

t.test('every invalid token has a single flaw, so a verifier without that check accepts it', async t => {
  await using issuer = await createTestIssuer({ audience })
  const bad = new Map(
    (await issuer.badTokens({ scopes: [scope] })).map((token): [string, BadToken] => [token.name, token]),
  )
  const anHour = 3_600 + 301
  for (const [name, forgotten] of [
    ['expired', { clockTolerance: anHour }],
    ['notYetValid', { clockTolerance: anHour }],
    ['wrongAudience', { audience: undefined }],
    ['withoutAudience', { audience: undefined }],
    ['wrongIssuer', { issuer: undefined }],
    ['withoutIssuer', { issuer: undefined }],
    ['wrongType', { typ: undefined }],
    ['withoutExpiry', { requiredClaims: ['iat', 'sub', 'client_id', 'jti'] }],
    ['criticalExtension', { crit: { 'urn:example:unknown': true } }],
  ] as const)
    t.equal(await refusal(issuer, bad.get(name)!.token, forgotten), 'accepted', name)
})

t.test('every invalid token has a reason and the correct response', async t => {
  await using issuer = await createTestIssuer({ audience })
  for (const { name, why, status, error } of await issuer.badTokens({ scopes: [scope] })) {
    t.match(why, /\w+ \w+/, name)
    t.same(
      [status, error],
      name === 'missingScope' ? [403, 'insufficient_scope'] : [401, 'invalid_token'],
      name,
    )
  }
})

t.test('omits flaws that do not apply', async t => {
  await using issuer = await createTestIssuer({ profile: 'cognito', algorithm: 'ES256' })
  const names = new Set((await issuer.badTokens()).map(({ name }) => name))
  t.notOk(names.has('missingScope'), 'where no scope is asked for')
  t.notOk(names.has('idToken'), 'where client ids are the audience, an ID token names them too')
})

t.test('invalid tokens keep the header and claims of the valid token', async t => {
  await using issuer = await createTestIssuer({ audience })
  const tokens = await issuer.badTokens({ claims: { tenant: 7 }, header: { typ: 'application/at+jwt' } })
  for (const { name, token } of tokens.filter(bad => !['idToken', 'garbage'].includes(bad.name))) {
    t.equal(part(token, 1)['tenant'], 7, name)
    if (name !== 'wrongType') t.equal(part(token, 0)['typ'], 'application/at+jwt', name)
  }
})

function part(token: string, index: number): Record<string, unknown> {
  const segment = token.split('.')[index] ?? ''
  return JSON.parse(Buffer.from(segment, 'base64url').toString()) as Record<string, unknown>
}
