import { generateKeyPairSync, sign, webcrypto } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { AuthorizationServer } from 'oauth4webapi'
import t from 'tap'
import {
  authenticate,
  canChange,
  secretMethodFor,
  secretMethods,
  type AssertionAudience,
  type ClientCredentials,
  type SecretMethod,
} from 'oauth-issuer-connection'

const server = {
  issuer: 'https://login.example.com',
  token_endpoint: 'https://login.example.com/token',
}

async function present(
  credentials: ClientCredentials,
  clientId = 'payment',
  as: AuthorizationServer = server,
): Promise<{ basic: string | undefined; body: Record<string, string> }> {
  const headers = new Headers()
  const body = new URLSearchParams()
  await (
    await authenticate(credentials, { refused: false })
  )(as, { client_id: clientId }, body, headers)
  const [, encoded] = /^Basic (.+)$/.exec(headers.get('authorization') ?? '') ?? []
  const basic = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString()
  return { basic, body: Object.fromEntries(body) }
}

const withSecret = (method: SecretMethod, secret: string): ClientCredentials => ({
  method,
  secret,
  audience: 'issuer',
})

// [value, as it is sent]: letters that WHATWG form-urlencoding leaves alone reach servers that do not decode.
const encoded: [string, string][] = [
  ['payment-service', 'payment-service'],
  ['5b3c3c1e-0000-4000-8000-0123456789ab', '5b3c3c1e-0000-4000-8000-0123456789ab'],
  ['a_b.c*d', 'a_b.c*d'],
  ['a b', 'a+b'],
  ['a:b', 'a%3Ab'],
  ['a+b%', 'a%2Bb%25'],
  ["~!'()", '%7E%21%27%28%29'],
  ['ключ', '%D0%BA%D0%BB%D1%8E%D1%87'],
]
t.test('client_secret_basic uses the encoding of URLSearchParams', async t => {
  for (const [value, sent] of encoded) {
    const { basic, body } = await present(withSecret('client_secret_basic', value), value)
    t.equal(basic, `${sent}:${sent}`)
    t.strictSame(body, {})
    t.equal(new URLSearchParams(`x=${sent}`).get('x'), value, 'and a server that decodes gets the value')
  }
  const raw = await present(withSecret('client_secret_basic_unencoded', 'c%d'), 'a b')
  t.equal(raw.basic, 'a b:c%d')
})

t.test('the other methods send the secret in their own form', async t => {
  const post = await present(withSecret('client_secret_post', 's'))
  t.strictSame(post, { basic: undefined, body: { client_id: 'payment', client_secret: 's' } })
  const jwt = await present(withSecret('client_secret_jwt', 's'.repeat(32)))
  t.match(decodeProtectedHeader(jwt.body['client_assertion'] ?? ''), {
    alg: 'HS256',
    typ: 'client-authentication+jwt',
  })
  t.strictSame(secretMethods.length, 4)
  t.match((await present({ method: 'tls_client_auth' })).body, { client_id: 'payment' })
  const federated = await present({ method: 'client_assertion', assertion: ' a.b.c\n' })
  t.match(federated.body, { client_id: 'payment', client_assertion: 'a.b.c' })
})

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ed = generateKeyPairSync('ed25519').privateKey

const keyOf = (
  key: typeof ec,
  algorithm?: string,
  audience: AssertionAudience = 'issuer',
): ClientCredentials => ({
  method: 'private_key_jwt',
  audience,
  key: { key, algorithm, rsaAlgorithm: 'RS256', keyId: 'k1', certificate: undefined },
})

async function assertionOf(credentials: ClientCredentials, as?: AuthorizationServer) {
  const { body } = await present(credentials, 'payment', as)
  const { client_assertion: assertion = '' } = body
  return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) }
}

t.test('assertions follow RFC 10070, or name the token endpoint of an older server', async t => {
  const elsewhere: ClientCredentials = {
    method: 'private_key_jwt',
    audience: 'issuer',
    key: {
      sign: data => sign('sha256', data, { key: ec, dsaEncoding: 'ieee-p1363' }),
      algorithm: 'ES256',
      keyId: 'k1',
      certificate: undefined,
    },
  }
  for (const credentials of [keyOf(ec), elsewhere]) {
    const { header, claims } = await assertionOf(credentials)
    t.strictSame([header.alg, header.typ, header.kid], ['ES256', 'client-authentication+jwt', 'k1'])
    t.match(claims, { aud: server.issuer, iss: 'payment', sub: 'payment', jti: /.+/ })
  }
  const older = await assertionOf(keyOf(ec, undefined, 'token_endpoint'))
  t.strictSame([older.header.typ, older.claims.aud], ['JWT', server.token_endpoint])
})

t.test(
  'Ed25519 keys use the configured algorithm name, or one that the server supports (RFC 9864)',
  async t => {
    const listing = (...names: string[]) => ({
      ...server,
      token_endpoint_auth_signing_alg_values_supported: names,
    })
    const cryptoKey = await webcrypto.subtle.importKey(
      'pkcs8',
      ed.export({ type: 'pkcs8', format: 'der' }),
      'Ed25519',
      false,
      ['sign'],
    )
    const cases: [string | undefined, AuthorizationServer, string][] = [
      ['EdDSA', listing('Ed25519'), 'EdDSA'],
      ['Ed25519', listing('EdDSA'), 'Ed25519'],
      [undefined, listing('Ed25519', 'EdDSA'), 'Ed25519'],
      [undefined, listing('ES256'), 'EdDSA'],
      [undefined, server, 'EdDSA'],
    ]
    for (const [algorithm, as, expected] of cases)
      for (const key of [ed, cryptoKey as unknown as typeof ed])
        t.equal((await assertionOf(keyOf(key, algorithm), as)).header.alg, expected)
    const jwk = { ...ed.export({ format: 'jwk' }), alg: 'Ed25519' } as unknown as typeof ed
    t.equal((await assertionOf(keyOf(jwk))).header.alg, 'Ed25519', "the key's own name")
  },
)

t.test('the metadata selects the authentication method for a secret', async t => {
  const cases: [object, SecretMethod][] = [
    [{}, 'client_secret_basic'],
    [{ token_endpoint_auth_methods_supported: ['client_secret_post'] }, 'client_secret_post'],
    [
      { introspection_endpoint_auth_methods_supported: ['client_secret_jwt', 'private_key_jwt'] },
      'client_secret_jwt',
    ],
    [
      {
        introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      },
      'client_secret_basic',
    ],
    [{ introspection_endpoint_auth_methods_supported: ['private_key_jwt'] }, 'client_secret_basic'],
    [
      { introspection_endpoint_auth_methods_supported: null, token_endpoint_auth_methods_supported: 'x' },
      'client_secret_basic',
    ],
    [{ introspection_endpoint_auth_methods_supported: [] }, 'client_secret_basic'],
  ]
  for (const [metadata, expected] of cases)
    t.equal(secretMethodFor({ ...metadata }), expected, JSON.stringify(metadata))
})

t.test('the error for a function that returns no text names it, without the value', async t => {
  for (const given of [undefined, null, 5, '', { secret: 'x' }]) {
    const secret = (() => given) as unknown as () => string
    const error = await authenticate(withSecret('client_secret_basic', secret as never), {
      refused: false,
    }).catch((thrown: Error) => thrown)
    t.match(error, { message: /^the client secret is (undefined|object|number|empty), expected text$/ })
  }
})

t.test('only credentials from a function can change', async t => {
  t.equal(canChange(withSecret('client_secret_post', 's')), false)
  t.equal(canChange({ method: 'client_secret_post', secret: () => 's', audience: 'issuer' }), true)
  t.equal(canChange({ method: 'tls_client_auth' }), false)
  t.equal(canChange({ method: 'client_assertion', assertion: async () => 'a' }), true)
  t.equal(canChange(keyOf(ec)), false)
})
