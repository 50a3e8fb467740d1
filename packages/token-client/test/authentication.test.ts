import { createHash, generateKeyPairSync, sign, webcrypto, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import { makeCertificate } from './certificate.js'
import { startRealServer } from './real-server.js'
import { json, startTokenEndpoint, tokens } from './token-endpoint.js'

const audience = 'https://receipts.example.com'

async function getToken(t: Test, options: Partial<TokenClientOptions>): Promise<string> {
  const client = createTokenClient({
    baseUrl: audience,
    clientId: 'payment',
    scopes: ['receipts:write'],
    resource: audience,
    ...options,
  } as TokenClientOptions)
  t.teardown(() => client.close())
  return (await client.getToken()).accessToken
}

// RFC 6749 §2.3.1 wants both form-urlencoded; a server that decodes them strictly finds out who doesn't.
const awkward = ['a:colon', 'a + plus', '100%25', 'sl/ash', 'am&per=sand', "quote'!()*~"]

for (const secret of awkward)
  t.test(`the secret ${secret} reaches a strict server`, async t => {
    const clientId = `client ${secret}`
    const issuer = await startRealServer(t, {
      clients: [
        { client_id: clientId, client_secret: secret },
        {
          client_id: `${clientId} post`,
          client_secret: secret,
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
    })
    t.ok(await getToken(t, { issuer, clientId, clientSecret: secret }))
    t.ok(
      await getToken(t, {
        issuer,
        clientId: `${clientId} post`,
        clientSecret: secret,
        clientAuthentication: 'client_secret_post',
      }),
    )
  })

// oidc-provider takes ASCII only, as RFC 6749 Appendix A has it; others take more.
t.test('so does one with letters beyond ASCII', async t => {
  const clientSecret = 'clé: 100 % sûre + ключ'
  const issuer = await createTestIssuer({
    clients: [{ clientId: 'café', clientSecret, audience, scopes: ['receipts:write'] }],
  })
  t.teardown(() => issuer.close())
  for (const clientAuthentication of ['client_secret_basic', 'client_secret_post'] as const)
    t.ok(await getToken(t, { issuer: issuer.url, clientId: 'café', clientSecret, clientAuthentication }))
})

t.test('client_secret_jwt sends a proof of the secret, and not the secret', async t => {
  const clientSecret = 'a secret of at least thirty-two bytes'
  const issuer = await startRealServer(t, {
    clients: [
      { client_id: 'payment', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_jwt' },
    ],
  })
  t.ok(await getToken(t, { issuer, clientSecret, clientAuthentication: 'client_secret_jwt' }))
})

t.test('client_secret_basic_unencoded sends both as they are', async t => {
  const { tokenEndpoint, requests } = await startRecorder(t)
  await getToken(t, {
    tokenEndpoint,
    clientId: 'a b',
    clientSecret: 'c%d',
    clientAuthentication: 'client_secret_basic_unencoded',
  })
  t.equal(requests[0]?.authorization, `Basic ${Buffer.from('a b:c%d').toString('base64')}`)
})

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
  t.test(`${what}: assertions are dated by the machine's clock, as the server's is`, async t => {
    const { tokenEndpoint, requests } = await startRecorder(t)
    const before = Math.floor(Date.now() / 1000)
    await getToken(t, { tokenEndpoint, clock: () => 1_000_000_999, ...options })
    const { iat = 0, nbf, exp } = decodeJwt(requests[0]?.body.get('client_assertion') ?? '')
    t.ok(iat >= before && iat <= Date.now() / 1000)
    t.strictSame([nbf, exp], [iat, iat + 60])
  })

  t.test(`${what}: assertions are for the issuer, or for the token endpoint`, async t => {
    const { tokenEndpoint, requests } = await startRecorder(t)
    const issuer = 'https://login.example.com'
    await getToken(t, { tokenEndpoint, issuer, ...options })
    await getToken(t, { tokenEndpoint, issuer, assertionAudience: 'token_endpoint', ...options })
    await getToken(t, { tokenEndpoint, ...options })
    t.strictSame(
      requests.map(({ body }) => decodeJwt(body.get('client_assertion') ?? '').aud),
      [issuer, tokenEndpoint, tokenEndpoint],
      'where no issuer is known, for the token endpoint',
    )
  })
}

t.test('a certificate is named in each way that servers look for, and has to fit the key', async t => {
  const { key, cert } = await makeCertificate('payment')
  const { tokenEndpoint, requests } = await startRecorder(t)
  await getToken(t, {
    tokenEndpoint,
    scopes: [],
    issuer: 'https://login.example.com',
    privateKey: key,
    certificate: cert,
    preset: 'entra',
  })
  const assertion = requests[0]?.body.get('client_assertion') ?? ''
  const der = new X509Certificate(cert).raw
  t.match(decodeProtectedHeader(assertion), {
    alg: 'ES256',
    'x5t#S256': createHash('sha256').update(der).digest('base64url'),
    x5t: createHash('sha1').update(der).digest('base64url'),
    x5c: [der.toString('base64')],
  })
  t.match(decodeJwt(assertion), { iss: 'payment', sub: 'payment', aud: tokenEndpoint })
  t.equal(requests[0]?.body.get('scope'), `${audience}/.default`)

  const other = await makeCertificate('other')
  await t.rejects(getToken(t, { tokenEndpoint, privateKey: key, certificate: other.cert }), {
    message: /unusable_client_credentials .the certificate is not for this private key/,
  })
})

t.test('private_key_jwt with a certificate, at a real server that knows it', async t => {
  const { key, cert } = await makeCertificate('payment')
  const jwk = new X509Certificate(cert).publicKey.export({ format: 'jwk' })
  const issuer = await startRealServer(t, {
    clients: [{ ...keyClient, jwks: { keys: [{ ...jwk, use: 'sig', alg: 'ES256' }] } }] as never,
  })
  t.ok(await getToken(t, { issuer, privateKey: key, certificate: cert }))
})

for (const method of ['tls_client_auth', 'self_signed_tls_client_auth'] as const)
  t.test(
    `${method}: the certificate of the connection is the proof, and the token is bound to it`,
    async t => {
      const tls = await makeCertificate('localhost')
      const { key, cert } = await makeCertificate('payment')
      const { raw, publicKey, subject } = new X509Certificate(cert)
      const x5c = [raw.toString('base64')]
      const issuer = await startRealServer(t, {
        tls: { ...tls, ca: cert },
        clients: [
          {
            client_id: 'payment',
            token_endpoint_auth_method: method,
            tls_client_certificate_bound_access_tokens: true,
            ...(method === 'tls_client_auth'
              ? { tls_client_auth_subject_dn: subject }
              : { jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), x5c } as never] } }),
          },
        ],
      })
      const options = {
        issuer,
        clientAuthentication: method,
        privateKey: key,
        certificate: cert,
        ca: tls.cert,
      }
      const token = await getToken(t, options)
      t.match(decodeJwt(token), { cnf: { 'x5t#S256': createHash('sha256').update(raw).digest('base64url') } })

      const stranger = await makeCertificate('payment')
      await t.rejects(
        getToken(t, { ...options, privateKey: stranger.key, certificate: stranger.cert }),
        { code: 'TOKEN_CLIENT_REJECTED', error: 'invalid_client' },
        'another certificate of the same name is refused',
      )
      await t.rejects(
        getToken(t, { ...options, ca: cert }),
        { code: 'TOKEN_CLIENT_UNAVAILABLE' },
        'a server that is not trusted gets nothing',
      )
    },
  )

t.test('mutual TLS goes to the aliases of RFC 8705 §5, and calls show the same certificate', async t => {
  const server = await makeCertificate('localhost')
  const { key, cert } = await makeCertificate('payment')
  const strict = createTlsServer(
    { ...server, ca: cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      if (request.url === '/token')
        return json(response, 200, { access_token: 'bound', token_type: 'Bearer', expires_in: 60 })
      const { subject } = (request.socket as TLSSocket).getPeerX509Certificate() ?? {}
      response.end(`${request.headers.authorization} of ${subject}`)
    },
  )
  const strictUrl = await listen(t, strict)
  const lax = createTlsServer(server, (request, response) => {
    if (request.method === 'POST') return json(response, 401, { error: 'invalid_client' })
    json(response, 200, {
      issuer,
      token_endpoint: `${issuer}/token`,
      mtls_endpoint_aliases: { token_endpoint: `${strictUrl}/token` },
    })
  })
  const issuer = await listen(t, lax)
  const client = createTokenClient({
    baseUrl: strictUrl,
    issuer,
    clientId: 'payment',
    clientAuthentication: 'tls_client_auth',
    privateKey: key,
    certificate: cert,
    ca: server.cert,
  })
  t.teardown(() => client.close())
  const { body } = await client.request({ path: '/receipts' })
  t.equal(await body.text(), 'Bearer bound of CN=payment')
})

t.test('a federated assertion comes from a file that is read each time', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'assertion-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const clientAssertionFile = join(folder, 'token')
  const { tokenEndpoint, requests } = await startRecorder(t)
  const client = createTokenClient({
    baseUrl: audience,
    tokenEndpoint,
    clientId: 'payment',
    clientAssertionFile,
  })
  t.teardown(() => client.close())

  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE', message: /ENOENT/ })
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
    requests.map(({ body }) => [body.get('client_id'), body.get('client_assertion')]),
    [
      ['payment', 'first.assertion.x'],
      ['payment', 'second.assertion.x'],
    ],
  )
})

t.test('an assertion that was rotated while it was sent is read once more', async t => {
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

t.test('so is a certificate', async t => {
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

t.test('a secret that was rotated is asked for once more, and tried once', async t => {
  const issuer = await startRealServer(t, { clients: [{ client_id: 'payment', client_secret: 'new' }] })
  const asked: boolean[] = []
  const clientSecret = ({ refused }: { refused: boolean }): string => {
    asked.push(refused)
    return refused ? 'new' : 'old'
  }
  t.ok(await getToken(t, { issuer, clientSecret }))
  t.strictSame(asked, [false, true])

  asked.length = 0
  const wrong = (): string => {
    asked.push(true)
    return 'wrong'
  }
  const failure = await getToken(t, { issuer, clientSecret: wrong }).catch((error: unknown) => error)
  t.match(failure, { code: 'TOKEN_CLIENT_REJECTED', error: 'invalid_client' })
  t.equal(asked.length, 2)
  t.notMatch(JSON.stringify(failure) + String(failure) + String((failure as Error).stack), /wrong"|'wrong'/)
})

t.test('a vault that is down is an outage, and no mistake of the configuration', async t => {
  const { tokenEndpoint } = await startRecorder(t)
  const sealed = new Error('the vault is sealed')
  await t.rejects(getToken(t, { tokenEndpoint, clientSecret: () => Promise.reject(sealed) }), {
    code: 'TOKEN_CLIENT_UNAVAILABLE',
    statusCode: 503,
    message: /the vault is sealed/,
  })
})

t.test('wrong options are named', t => {
  const options = { baseUrl: audience, issuer: 'https://login.example.com', clientId: 'a' }
  const cases: [object, RegExp][] = [
    [{}, /`clientSecret` is missing.*or give `privateKey`/],
    [{ clientSecret: 'a', privateKey: pem }, /`clientSecret` and `privateKey` exclude each other/],
    [
      { clientSecret: 'a', clientAuthentication: 'basic' },
      /`clientAuthentication` is "basic"; it wants 'client_secret_basic'/,
    ],
    [{ signAssertion: () => {} }, /`keyAlgorithm` is missing/],
    [{ signAssertion: 'RS256' }, /`signAssertion` wants a function/],
    [{ clientAuthentication: 'tls_client_auth' }, /wants `certificate` and `privateKey` as PEM/],
    [
      { clientSecret: 'a', assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", and does nothing with `clientSecret`, only with .*leave it out/,
    ],
    [
      { clientSecret: 'a', clientAuthentication: 'client_secret_post', assertionAudience: 'token_endpoint' },
      /`assertionAudience` is "token_endpoint", and does nothing with `client_secret_post`/,
    ],
    [
      { clientAssertionFile: '/assertion', assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", and does nothing with `clientAssertionFile`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", and does nothing with `tls_client_auth`/,
    ],
    [{ clientSecret: 'a', assertionAudience: 'me' }, /`assertionAudience` is "me"; it wants 'issuer'/],
    [
      {
        issuer: undefined,
        tokenEndpoint: 'https://login.example.com/token',
        privateKey: pem,
        assertionAudience: 'issuer',
      },
      /`assertionAudience` is "issuer", and no `issuer` is given.*give `issuer`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, keyId: 'k1' },
      /`keyId` is "k1", and does nothing with `tls_client_auth`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, keyAlgorithm: 'RS256' },
      /`keyAlgorithm` is "RS256", and does nothing with `tls_client_auth`/,
    ],
    [{ clientSecret: 'a', keyId: 'k1' }, /`keyId` is "k1", and does nothing with `clientSecret`/],
    [{ keyId: 'k1' }, /`keyId` is "k1", and does nothing without .*environment variable/],
    [{ clientSecret: 'a', preset: 'azure' }, /`preset` is "azure"; it wants 'standard', 'entra'/],
    [
      { clientSecret: 'a', preset: 'keycloak', resource: audience },
      /`resource` is given, and the preset has no parameter/,
    ],
    [
      { clientSecret: 'a', preset: 'entra', resource: audience, scopes: ['a'] },
      /exclude each other with this preset/,
    ],
    [{ clientSecret: 'a', preset: 'entra', resource: [audience, 'b'] }, /a token is for one API/],
  ]
  for (const [wrong, message] of cases)
    t.throws(() => createTokenClient({ ...options, ...wrong } as TokenClientOptions), message)
  t.end()
})

/** A token endpoint that gives a token to everybody and keeps what it was asked. */
async function startRecorder(t: Test) {
  const requests: { authorization: string | undefined; body: URLSearchParams }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      requests.push({ authorization: request.headers.authorization, body: new URLSearchParams(body) })
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ access_token: `token-${requests.length}`, token_type: 'Bearer', expires_in: 60 }),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, requests }
}

async function listen(t: Test, server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://localhost:${(server.address() as AddressInfo).port}`
}
