import { createHash, generateKeyPairSync, sign, webcrypto, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { startRealServer } from './real-server.js'
import { json, startTokenEndpoint, tokens } from './token-endpoint.js'
import { audience, getToken } from './authenticating.js'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const keyClient = {
  client_id: 'payment',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256', use: 'sig' }] },
} as const

const keys: Record<string, () => Partial<TokenClientOptions> | Promise<Partial<TokenClientOptions>>> = {
  'a PEM text': () => ({ privateKey: pem }),
  'a JWK': () => ({ privateKey: privateKey.export({ format: 'jwk' }) }),
  'a KeyObject': () => ({ privateKey }),
  'a CryptoKey': async () => ({
    privateKey: await webcrypto.subtle.importKey(
      'jwk',
      privateKey.export({ format: 'jwk' }) as webcrypto.JsonWebKey,
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    ),
  }),
  'a function that gives one': () => ({ privateKey: async () => pem }),
  'a signer elsewhere': () => ({
    keyAlgorithm: 'ES256',
    signAssertion: async data => sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }),
}

for (const [what, options] of Object.entries(keys))
  t.test(`private_key_jwt with ${what}`, async t => {
    const issuer = await startRealServer(t, { clients: [keyClient] })
    t.ok(await getToken(t, { issuer, keyId: 'first', ...(await options()) }))
    t.ok(await getToken(t, { issuer, assertionAudience: 'token_endpoint', ...(await options()) }))
  })

const asserting: Record<string, Partial<TokenClientOptions>> = {
  private_key_jwt: { privateKey },
  'a signer elsewhere': { keyAlgorithm: 'ES256', signAssertion: () => Buffer.from('made in a KMS') },
  client_secret_jwt: {
    clientSecret: 'a secret of at least thirty-two bytes',
    clientAuthentication: 'client_secret_jwt',
  },
}

for (const [what, options] of Object.entries(asserting)) {
  t.test(`${what}: the times of assertions come from the system clock`, async t => {
    const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
    const before = Math.floor(Date.now() / 1000)
    await getToken(t, { tokenEndpoint, clock: () => 1_000_000_999, ...options })
    const { iat = 0, nbf, exp } = decodeJwt(requests[0]?.parameters.get('client_assertion') ?? '')
    t.ok(iat >= before && iat <= Date.now() / 1000)
    t.strictSame([nbf, exp], [iat, iat + 60])
  })

  t.test(`${what}: the audience of assertions is the issuer or the token endpoint`, async t => {
    const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
    const issuer = 'https://login.example.com'
    await getToken(t, { tokenEndpoint, issuer, ...options })
    await getToken(t, { tokenEndpoint, issuer, assertionAudience: 'token_endpoint', ...options })
    await getToken(t, { tokenEndpoint, ...options })
    t.strictSame(
      requests.map(({ parameters }) => decodeJwt(parameters.get('client_assertion') ?? '').aud),
      [issuer, tokenEndpoint, tokenEndpoint],
      'without an issuer, the audience is the token endpoint',
    )
  })
}

t.test('assertions identify the certificate by chain and thumbprints, and it must match the key', async t => {
  const { key, cert } = await makeCertificate('payment')
  const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
  await getToken(t, {
    tokenEndpoint,
    scopes: [],
    issuer: 'https://login.example.com',
    privateKey: key,
    certificate: cert,
    profile: 'entra',
  })
  const assertion = requests[0]?.parameters.get('client_assertion') ?? ''
  const der = new X509Certificate(cert).raw
  t.match(decodeProtectedHeader(assertion), {
    alg: 'ES256',
    'x5t#S256': createHash('sha256').update(der).digest('base64url'),
    x5t: createHash('sha1').update(der).digest('base64url'),
    x5c: [der.toString('base64')],
  })
  t.match(decodeJwt(assertion), { iss: 'payment', sub: 'payment', aud: tokenEndpoint })
  t.equal(requests[0]?.parameters.get('scope'), `${audience}/.default`)

  const other = await makeCertificate('other')
  await t.rejects(getToken(t, { tokenEndpoint, privateKey: key, certificate: other.cert }), {
    detail: /unusable_client_credentials .the certificate does not match the private key/,
  } as never)
})

t.test('a real server accepts private_key_jwt with a registered certificate', async t => {
  const { key, cert } = await makeCertificate('payment')
  const jwk = new X509Certificate(cert).publicKey.export({ format: 'jwk' })
  const issuer = await startRealServer(t, {
    clients: [{ ...keyClient, jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256' }] } }] as never,
  })
  t.ok(await getToken(t, { issuer, privateKey: key, certificate: cert }))
})

t.test('the file with a federated assertion is read for each token request', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'assertion-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const clientAssertionFile = join(folder, 'token')
  const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
  const client = createTokenClient({
    baseUrl: audience,
    tokenEndpoint,
    clientId: 'payment',
    clientAssertionFile,
  })
  t.teardown(() => client.close())

  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /ENOENT/ })
  writeFileSync(clientAssertionFile, 'first.assertion.x\n')
  const again = createTokenClient({
    baseUrl: audience,
    tokenEndpoint,
    clientId: 'payment',
    clientAssertionFile,
  })
  t.teardown(() => again.close())
  const token = await again.getToken()
  writeFileSync(clientAssertionFile, 'second.assertion.x\n')
  again.invalidate(token)
  await again.getToken()
  t.strictSame(
    requests.map(({ parameters }) => [parameters.get('client_id'), parameters.get('client_assertion')]),
    [
      ['payment', 'first.assertion.x'],
      ['payment', 'second.assertion.x'],
    ],
  )
})

t.test('an assertion that was rotated during the request is read once more', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'assertion-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const clientAssertionFile = join(folder, 'token')
  writeFileSync(clientAssertionFile, 'an.old.one')
  const answer = tokens()
  const endpoint = await startTokenEndpoint(t, (response, request) => {
    if (endpoint.requests.at(-1)?.body.includes('a.new.one')) return answer(response, request)
    writeFileSync(clientAssertionFile, 'a.new.one')
    json(response, 401, { error: 'invalid_client' })
  })
  t.ok(await getToken(t, { tokenEndpoint: endpoint.url, clientAssertionFile }))
  t.equal(endpoint.requests.length, 2)
})

t.test('a certificate that was rotated during the request is read once more', async t => {
  const [older, newer] = [await makeCertificate('payment'), await makeCertificate('payment')]
  const answer = tokens()
  const endpoint = await startTokenEndpoint(t, (response, request) =>
    endpoint.requests.length === 1
      ? json(response, 401, { error: 'invalid_client' })
      : answer(response, request),
  )
  await getToken(t, {
    tokenEndpoint: endpoint.url,
    keyAlgorithm: 'ES256',
    signAssertion: () => Buffer.from('made in a KMS'),
    certificate: ({ refused }) => (refused ? newer.cert : older.cert),
  })
  t.strictSame(
    endpoint.requests.map(({ body }) => {
      const { x5c } = decodeProtectedHeader(new URLSearchParams(body).get('client_assertion') ?? '')
      return x5c
    }),
    [older, newer].map(({ cert }) => [new X509Certificate(cert).raw.toString('base64')]),
  )
})
