import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import httpProxy from '@fastify/http-proxy'
import replyFrom from '@fastify/reply-from'
import underPressure from '@fastify/under-pressure'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import tokenClient, { type TokenClient, type TokenClientPluginOptions } from 'fastify-token-client'
import { makeCertificate } from 'test-support/certificate'
import { listen } from 'test-support/listen'

declare module 'fastify' {
  interface FastifyInstance {
    upstream: TokenClient
  }
}

/** An upstream with its own token endpoint, that keeps the headers it is sent. */
async function startUpstream(t: Test, tls?: { key: string; cert: string }) {
  const seen: IncomingHttpHeaders[] = []
  const answer: RequestListener = (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/token')
      return void response.end('{"access_token":"ours","token_type":"Bearer","expires_in":60}')
    seen.push(request.headers)
    response.end(JSON.stringify({ path: request.url }))
  }
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  return { url: await listen(t, server, tls === undefined ? 'http://localhost' : 'https://localhost'), seen }
}

async function gateway(
  t: Test,
  url: string,
  more: Partial<TokenClientPluginOptions> = {},
): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(tokenClient, {
    name: 'upstream',
    baseUrl: url,
    tokenEndpoint: `${url}/token`,
    clientId: 'gateway',
    clientSecret: 'x',
    prefetch: 'lazy',
    ...more,
  })
  return app
}

const theirs = { authorization: 'Bearer of-the-caller' }

t.test('@fastify/reply-from sends the client’s token instead of the caller’s', async t => {
  const { url, seen } = await startUpstream(t)
  const app = await gateway(t, url)
  await app.register(replyFrom, { base: url, undici: app.upstream.dispatcher })
  app.get('/receipts', (_, reply) => reply.from('/v1/receipts'))
  const { statusCode, body } = await app.inject({ url: '/receipts', headers: theirs })
  t.strictSame([statusCode, JSON.parse(body)], [200, { path: '/v1/receipts' }])
  t.match(seen, [{ authorization: 'Bearer ours' }])
})

t.test('@fastify/http-proxy sends the client’s token instead of the caller’s', async t => {
  const { url, seen } = await startUpstream(t)
  const app = await gateway(t, url)
  await app.register(httpProxy, { upstream: url, prefix: '/api', undici: app.upstream.dispatcher })
  const { statusCode, body } = await app.inject({ url: '/api/receipts', headers: theirs })
  t.strictSame([statusCode, JSON.parse(body)], [200, { path: '/receipts' }])
  t.match(seen, [{ authorization: 'Bearer ours' }])
})

const gateways: Record<string, (app: FastifyInstance, base: string) => Promise<void>> = {
  async 'reply-from'(app, base) {
    await app.register(replyFrom, { base, undici: app.upstream.dispatcher })
    app.get('/', (_, reply) => reply.from('/'))
  },
  async 'http-proxy'(app, upstream) {
    await app.register(httpProxy, { upstream, undici: app.upstream.dispatcher })
  },
}
for (const [what, proxyTo] of Object.entries(gateways))
  t.test(`with @fastify/${what}, the certificate of the upstream is verified`, async t => {
    const tls = await makeCertificate('localhost')
    const { url, seen } = await startUpstream(t, tls)
    const trusting = await gateway(t, url, { ca: tls.cert })
    await proxyTo(trusting, url)
    t.equal((await trusting.inject('/')).statusCode, 200)

    // The token is had over a connection of its own, so that it is the upstream that is not trusted.
    const { url: tokens } = await startUpstream(t)
    const wary = await gateway(t, url, { tokenEndpoint: `${tokens}/token` })
    await proxyTo(wary, url)
    t.ok((await wary.inject('/')).statusCode >= 500)
    t.equal(seen.length, 1, 'nothing was sent to a stranger')
  })

t.test('a gateway does not send the token to another upstream', async t => {
  const { url } = await startUpstream(t)
  const other = await startUpstream(t)
  const app = await gateway(t, url)
  await app.register(replyFrom, { undici: app.upstream.dispatcher })
  app.get('/', (_, reply) => reply.from(other.url))
  t.equal((await app.inject('/')).statusCode, 500)
  t.equal(other.seen.length, 0)
})

t.test('@fastify/under-pressure uses health(), which sends no request', async t => {
  const { url, seen } = await startUpstream(t)
  const app = await gateway(t, url)
  await app.register(underPressure, {
    healthCheck: async () => app.upstream.health().state !== 'failing',
    healthCheckInterval: 500,
    exposeStatusRoute: true,
  })
  await app.ready()
  t.equal((await app.inject('/status')).statusCode, 200)
  t.equal(seen.length, 0)
})

t.test('@fastify/under-pressure responds with 503 while no token is available', async t => {
  const { url } = await startUpstream(t)
  const app = await gateway(t, url, { tokenEndpoint: `${url}/nothing-there`, prefetch: 'lazy' })
  await app.register(underPressure, {
    healthCheck: async () => app.upstream.health().state !== 'failing',
    healthCheckInterval: 10,
    exposeStatusRoute: true,
  })
  await app.ready()
  await t.rejects(app.upstream.getToken())
  let status = 200
  while (status === 200) {
    await new Promise(resolve => setTimeout(resolve, 10))
    status = (await app.inject('/status')).statusCode
  }
  t.equal(status, 503)
})
