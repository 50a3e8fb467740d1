import t from 'tap'
import { createTokenClient, type TokenClient } from 'fastify-token-client'
import { clientOf, ok, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

t.test(
  'a redirect to the same origin is followed with the token, and one to another origin is refused',
  async t => {
    const endpoint = await startTokenEndpoint(t)
    const other = await startApi(t, ok)
    const api = await startApi(t, (request, response) => {
      if (request.url === '/away') return void response.writeHead(302, { location: other.url }).end()
      if (request.url === '/near') return void response.writeHead(302, { location: '/there' }).end()
      ok(request, response)
    })
    const client = clientOf(t, endpoint, api.url, { interceptors: { redirect: { maxRedirections: 3 } } })
    await t.rejects(client.request({ path: '/away' }), { code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED' })
    t.equal(other.seen.length, 0)
    t.equal((await client.request({ path: '/near' })).statusCode, 200)
    t.ok(api.seen.every(({ authorization }) => authorization === 'Bearer token-1'))
    // fetch follows redirects itself, each hop through the dispatcher.
    await t.rejects(client.fetch('/away'))
    t.equal((await client.fetch('/near')).status, 200)
    t.equal(other.seen.length, 0)
  },
)

t.test('retry uses a current token for each attempt', async t => {
  const endpoint = await startTokenEndpoint(t)
  let attempts = 0
  const api = await startApi(t, (request, response) => {
    attempts += 1
    if (attempts < 3) return void response.writeHead(503).end()
    ok(request, response)
  })
  const client = clientOf(t, endpoint, api.url, { interceptors: { retry: { minTimeout: 1, maxTimeout: 1 } } })
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  t.equal(attempts, 3)
})

const ask = async (view: Pick<TokenClient, 'request'>): Promise<string> =>
  (await view.request({ path: '/' })).body.text()

t.test('a cache never returns the response for one token to another', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (request, response) => {
    response.setHeader('cache-control', 'max-age=60')
    response.setHeader('vary', 'authorization')
    response.end(request.headers.authorization)
  })
  const client = clientOf(t, endpoint, api.url, { interceptors: { cache: true, dns: true } })
  const other = client.with({ scopes: ['other'] })
  t.equal(await ask(client), 'Bearer token-1')
  t.equal(await ask(other), 'Bearer token-2')
  t.equal(await ask(client), 'Bearer token-1')
  t.equal(await ask(other), 'Bearer token-2')
})

t.test('the error for an invalid interceptor names it', t => {
  const options = {
    baseUrl: 'https://a.example',
    issuer: 'https://b.example',
    clientId: 'a',
    clientSecret: 'b',
  }
  t.throws(
    () => createTokenClient({ ...options, interceptors: { retries: true } as never }),
    /no option `interceptors\.retries`/,
  )
  t.throws(
    () => createTokenClient({ ...options, interceptors: { retry: 3 as never } }),
    /`interceptors.retry` is 3/,
  )
  t.end()
})
