import { createServer as createTlsServer } from 'node:https'
import t from 'tap'
import { Agent } from 'undici'
import { createTokenClient } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'
import { setEnvironment, startProxy } from 'test-support/proxy'
import { json } from './token-endpoint.js'

t.test(
  'metadata and token requests use the proxy of the environment, to a server with a private CA',
  async t => {
    const tls = await makeCertificate('localhost')
    const server = createTlsServer(tls, (request, response) =>
      json(
        response,
        200,
        request.method === 'POST'
          ? { access_token: 'good', token_type: 'Bearer', expires_in: 60 }
          : { issuer, token_endpoint: `${issuer}/token` },
      ),
    )
    const issuer = await listen(t, server, 'https://127.0.0.1')
    const { url, tunnels } = await startProxy(t)
    setEnvironment(t, { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: url })
    const clientWith = (ca: { ca?: string }) => {
      const client = createTokenClient({
        baseUrl: 'https://receipts.example.com',
        issuer,
        clientId: 'payment',
        clientSecret: 'secret-text',
        ...ca,
      })
      t.teardown(() => client.close())
      return client
    }
    t.equal((await clientWith({ ca: tls.cert }).getToken()).accessToken, 'good')
    t.ok(tunnels.length > 0)
    t.ok(tunnels.every(host => host === new URL(issuer).host))
    await t.rejects(clientWith({}).getToken(), { detail: /self-signed certificate/ } as never)
    setEnvironment(t, { NO_PROXY: '127.0.0.1' })
    const before = tunnels.length
    t.ok(await clientWith({ ca: tls.cert }).getToken())
    t.equal(tunnels.length, before)
  },
)

t.test('calls to the API use the proxy of the environment, to a server with a private CA', async t => {
  const tls = await makeCertificate('localhost')
  const server = createTlsServer(tls, (request, response) =>
    json(
      response,
      200,
      request.url === '/token'
        ? { access_token: 'good', token_type: 'Bearer', expires_in: 60 }
        : { authorization: request.headers.authorization },
    ),
  )
  const baseUrl = await listen(t, server, 'https://127.0.0.1')
  const { url, tunnels } = await startProxy(t)
  setEnvironment(t, { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: url })
  // Token requests are sent directly, so that all tunnels are for calls.
  const issuerDispatcher = new Agent({ connect: { ca: tls.cert } })
  t.teardown(() => issuerDispatcher.close())
  const call = async () => {
    const client = createTokenClient({
      baseUrl,
      tokenEndpoint: `${baseUrl}/token`,
      issuerDispatcher,
      clientId: 'payment',
      clientSecret: 'secret-text',
      ca: tls.cert,
    })
    t.teardown(() => client.close())
    const { body } = await client.request({ path: '/receipts' })
    return body.json()
  }
  t.strictSame(await call(), { authorization: 'Bearer good' })
  t.strictSame(tunnels, [new URL(baseUrl).host])
  setEnvironment(t, { NO_PROXY: '127.0.0.1' })
  t.strictSame(await call(), { authorization: 'Bearer good' })
  t.equal(tunnels.length, 1)
})
