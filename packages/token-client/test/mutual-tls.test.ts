import { createHash, X509Certificate } from 'node:crypto'
import { createServer as createTlsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { decodeJwt } from 'jose'
import t from 'tap'
import { createTokenClient } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'
import { startRealServer } from './real-server.js'
import { json } from './token-endpoint.js'
import { getToken } from './authenticating.js'

// The client does the same for both; the server finds the certificate in another place.
for (const method of ['tls_client_auth', 'self_signed_tls_client_auth'] as const)
  t.test(
    `a server with ${method}: the connection's certificate authenticates, and the token is bound to it`,
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
        clientAuthentication: 'tls_client_auth' as const,
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

t.test('a client secret with a certificate gets bound tokens (RFC 8705 §3)', async t => {
  const tls = await makeCertificate('localhost')
  const { key, cert } = await makeCertificate('payment')
  const issuer = await startRealServer(t, {
    tls: { ...tls, ca: cert },
    clients: [
      {
        client_id: 'payment',
        client_secret: 'secret',
        tls_client_certificate_bound_access_tokens: true,
      },
    ],
  })
  const token = await getToken(t, {
    issuer,
    clientSecret: 'secret',
    privateKey: key,
    certificate: cert,
    ca: tls.cert,
  })
  const thumbprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')
  t.match(decodeJwt(token), { cnf: { 'x5t#S256': thumbprint } })
})

t.test(
  'mutual TLS uses the endpoint aliases of RFC 8705 §5, and calls present the same certificate',
  async t => {
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
    const strictUrl = await listen(t, strict, 'https://localhost')
    const lax = createTlsServer(server, (request, response) => {
      if (request.method === 'POST') return json(response, 401, { error: 'invalid_client' })
      json(response, 200, {
        issuer,
        token_endpoint: `${issuer}/token`,
        mtls_endpoint_aliases: { token_endpoint: `${strictUrl}/token` },
      })
    })
    const issuer = await listen(t, lax, 'https://localhost')
    const client = createTokenClient({
      baseUrl: strictUrl,
      issuer,
      clientId: 'payment',
      clientAuthentication: 'tls_client_auth' as const,
      privateKey: key,
      certificate: cert,
      ca: server.cert,
    })
    t.teardown(() => client.close())
    const { body } = await client.request({ path: '/receipts' })
    t.equal(await body.text(), 'Bearer bound of CN=payment')
  },
)
