import { inspect } from 'node:util'
import { generateKeyPairSync } from 'node:crypto'
import { createTestIssuer } from 'oauth-test-issuer'
import t from 'tap'
import { Agent } from 'undici'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { startRealServer } from './real-server.js'
import { audience, getToken } from './authenticating.js'
import { startTokenEndpoint } from './token-endpoint.js'

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
t.test('a secret with letters beyond ASCII reaches a strict server', async t => {
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

t.test('client_secret_basic_unencoded sends the id and the secret unchanged', async t => {
  const { url: tokenEndpoint, requests } = await startTokenEndpoint(t)
  await getToken(t, {
    tokenEndpoint,
    clientId: 'a b',
    clientSecret: 'c%d',
    clientAuthentication: 'client_secret_basic_unencoded',
  })
  t.equal(requests[0]?.headers.authorization, `Basic ${Buffer.from('a b:c%d').toString('base64')}`)
})

t.test('a rotated secret is fetched once more and tried once', async t => {
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

t.test('an unavailable vault is an outage, not a configuration error', async t => {
  const { url: tokenEndpoint } = await startTokenEndpoint(t)
  const sealed = new Error('the vault is sealed')
  await t.rejects(getToken(t, { tokenEndpoint, clientSecret: () => Promise.reject(sealed) }), {
    code: 'TOKEN_CLIENT_UNAVAILABLE',
    statusCode: 503,
    detail: /the vault is sealed/,
  })
})

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

const withoutUndefined = (given: object): object =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

t.test('the error for an invalid option names it', async t => {
  const { cert: certificate } = await makeCertificate('payment')
  const dispatchers = { dispatcher: new Agent(), issuerDispatcher: new Agent() }
  const options = { baseUrl: audience, issuer: 'https://login.example.com', clientId: 'a' }
  const cases: [object, RegExp][] = [
    [{}, /`clientSecret` is missing.*such as `privateKey`/],
    [{ clientSecret: 'a', privateKey: pem }, /`clientSecret` and `privateKey` cannot be combined/],
    [
      { clientSecret: 'a', clientAuthentication: 'basic' },
      /`clientAuthentication` is "basic"; expected 'client_secret_basic'/,
    ],
    [{ signAssertion: () => {} }, /`keyAlgorithm` is missing/],
    [{ signAssertion: 'RS256' }, /`signAssertion` is "RS256"; expected a function/],
    [{ clientAuthentication: 'tls_client_auth' }, /requires `certificate` and `privateKey` as PEM/],
    [
      { clientSecret: 'a', assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", but has no effect with `clientSecret`, only with .*leave it out/,
    ],
    [
      { clientSecret: 'a', clientAuthentication: 'client_secret_post', assertionAudience: 'token_endpoint' },
      /`assertionAudience` is "token_endpoint", but has no effect with `client_secret_post`/,
    ],
    [
      { clientAssertionFile: '/assertion', assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", but has no effect with `clientAssertionFile`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, assertionAudience: 'issuer' },
      /`assertionAudience` is "issuer", but has no effect with `tls_client_auth`/,
    ],
    [{ clientSecret: 'a', assertionAudience: 'me' }, /`assertionAudience` is "me"; expected 'issuer'/],
    [
      {
        issuer: undefined,
        tokenEndpoint: 'https://login.example.com/token',
        privateKey: pem,
        assertionAudience: 'issuer',
      },
      /`assertionAudience` is "issuer", but `issuer` is not set.*set `issuer`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, keyId: 'k1' },
      /`keyId` is "k1", but has no effect with `tls_client_auth`/,
    ],
    [
      { clientAuthentication: 'tls_client_auth', privateKey: pem, keyAlgorithm: 'RS256' },
      /`keyAlgorithm` is "RS256", but has no effect with `tls_client_auth`/,
    ],
    [
      { clientSecret: 'a', certificate, clientAuthentication: 'client_secret_post' },
      /a client secret with a `certificate` requires `certificate` and `privateKey` as PEM text/,
    ],
    ...[
      { certificate, privateKey: pem },
      { certificateFile: '/tls.crt' },
      { privateKeyFile: '/tls.key' },
    ].map((given): [object, RegExp] => [
      { clientAuthentication: 'tls_client_auth', ...given, ...dispatchers },
      new RegExp(
        `\`${Object.keys(given)[0]}\` has no effect with a \`dispatcher\` and an \`issuerDispatcher\``,
      ),
    ]),
    [
      {
        clientAuthentication: 'tls_client_auth',
        privateKey: pem,
        issuerDispatcher: dispatchers.issuerDispatcher,
      },
      /`tls_client_auth` requires `certificate` and `privateKey` as PEM/,
    ],
    [{ clientSecret: 'a', keyId: 'k1' }, /`keyId` is "k1", but has no effect with `clientSecret`/],
    [{ keyId: 'k1' }, /`keyId` is "k1", but has no effect without .*environment variable/],
    [{ clientSecret: 'a', profile: 'azure' }, /`profile` is "azure"; expected 'rfc9068', 'entra'/],
    [
      { clientSecret: 'a', profile: 'keycloak', resource: audience },
      /`resource` has no effect with this profile/,
    ],
    [
      { clientSecret: 'a', profile: 'entra', resource: audience, scopes: ['a'] },
      /cannot be combined with this profile/,
    ],
    [{ clientSecret: 'a', profile: 'entra', resource: [audience, 'b'] }, /a token is for one API/],
  ]
  for (const [wrong, message] of cases)
    t.throws(
      () => createTokenClient(withoutUndefined({ ...options, ...wrong }) as unknown as TokenClientOptions),
      message,
      inspect(wrong),
    )
})
