import { createServer } from 'node:http'
import { setImmediate as nextTick } from 'node:timers/promises'
import t from 'tap'
import { createTokenClient } from 'fastify-token-client'
import { listen } from 'test-support/listen'
import { json, startTokenEndpoint, type Behaviour } from './token-endpoint.js'
import { failureOf, secret, start } from './standing-clock.js'

t.test(
  'metadata is requested once, renewed in the background, and must not name a plain http endpoint',
  async t => {
    let asked = 0
    let now = start
    const posted: (string | undefined)[] = []
    let tokenEndpoint = ''
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        posted.push(request.url)
        return json(response, 200, { access_token: 't', token_type: 'Bearer' })
      }
      asked += 1
      return json(response, 200, { issuer, token_endpoint: tokenEndpoint })
    })
    const issuer = await listen(t, server)
    const options = {
      baseUrl: 'https://receipts.example.com',
      issuer,
      clientId: 'payment',
      clientSecret: secret,
      clock: () => now,
    }

    tokenEndpoint = `${issuer}/token`
    const client = createTokenClient(options)
    t.teardown(() => client.close())
    await Promise.all(['a', 'b', 'c', 'd'].map(scope => client.with({ scopes: [scope] }).getToken()))
    t.equal(asked, 1)

    now += 3_600_000
    tokenEndpoint = `${issuer}/moved`
    t.ok(
      await client.with({ scopes: ['e'] }).getToken(),
      'after an hour, metadata is renewed in the background',
    )
    while (asked < 2) await nextTick()
    for (let scope = 0; posted.at(-1) !== '/moved'; scope += 1)
      await client.with({ scopes: [`moved-${scope}`] }).getToken()
    tokenEndpoint = 'nowhere'
    now += 3_600_000
    for (const scope of ['f', 'g']) t.ok(await client.with({ scopes: [scope] }).getToken())
    t.equal(posted.at(-1), '/moved', 'what cannot be renewed goes on')

    tokenEndpoint = 'http://login.example.com/token'
    const misled = createTokenClient(options)
    t.teardown(() => misled.close())
    t.match(await failureOf(misled), {
      code: 'TOKEN_CLIENT_UNAVAILABLE',
      detail: /has the token_endpoint http:\/\/login\.example\.com\/token, expected an absolute https URL/,
    })
  },
)

t.test('the metadata must name the issuer', async t => {
  const server = createServer((_, response) =>
    json(response, 200, {
      issuer: 'https://somebody.else.example',
      token_endpoint: 'https://somebody.else.example/token',
    }),
  )
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    issuer: await listen(t, server),
    clientId: 'payment',
    clientSecret: secret,
  })
  t.teardown(() => client.close())
  t.match(await failureOf(client), { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /issuer/ })
})

for (const [what, answer] of [
  ['a redirect', response => response.writeHead(301, { location: '/login' }).end()],
  ['a 401', response => response.writeHead(401).end()],
  ['a web page', response => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
] as [string, Behaviour][])
  t.test(`if the OpenID metadata is ${what}, the RFC 8414 metadata is used`, async t => {
    const endpoint = await startTokenEndpoint(t, (response, request) => {
      if (request.method === 'POST')
        return json(response, 200, { access_token: 'good', token_type: 'Bearer' })
      if (request.url === '/.well-known/oauth-authorization-server')
        return json(response, 200, { issuer, token_endpoint: `${issuer}/token` })
      answer(response, request)
    })
    const issuer = new URL(endpoint.url).origin
    const client = createTokenClient({
      baseUrl: 'https://receipts.example.com',
      issuer,
      clientId: 'payment',
      clientSecret: secret,
    })
    t.teardown(() => client.close())
    t.equal((await client.getToken()).accessToken, 'good')
  })
