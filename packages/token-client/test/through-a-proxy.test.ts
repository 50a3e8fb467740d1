import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { createTokenClient } from 'fastify-token-client'
import { makeCertificate } from './certificate.js'
import { json } from './token-endpoint.js'

async function listen(t: Test, server: Server, protocol: string): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A CONNECT proxy that records the hosts it opened tunnels to. */
async function startProxy(t: Test): Promise<{ url: string; tunnels: (string | undefined)[] }> {
  const tunnels: (string | undefined)[] = []
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url)
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const one of [upstream, socket]) one.on('error', () => {})
    t.teardown(() => upstream.destroy())
  })
  return { url: await listen(t, proxy, 'http'), tunnels }
}

function setEnvironment(t: Test, variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) {
    const { [name]: before } = process.env
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

t.test(
  'metadata and tokens come through the proxy of the environment, from a server with a private CA',
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
    const issuer = await listen(t, server, 'https')
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

t.test('calls of the API go through the proxy of the environment, to a server with a private CA', async t => {
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
  const baseUrl = await listen(t, server, 'https')
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
