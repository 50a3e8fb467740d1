import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { FormData } from 'undici'
import { createTokenClient, type TokenClient } from 'fastify-token-client'
import { listen } from 'test-support/listen'

const audience = 'https://receipts.example.com'

/** A client, and an API that refuses each token the first time it sees it half-way, and keeps what it was sent. */
async function start(t: Test): Promise<{ client: TokenClient; bodies: string[] }> {
  const issuer = await createTestIssuer({ clients: [{ clientId: 'payment', clientSecret: 'x', audience }] })
  t.teardown(() => issuer.close())
  const bodies: string[] = []
  let refused: string | undefined
  const api = createServer((request, response) => {
    refused ??= request.headers.authorization
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(request.headers.authorization === refused ? 401 : 200).end(body)
    })
  })
  const client = createTokenClient({
    baseUrl: await listen(t, api),
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: 'x',
    resource: audience,
  })
  t.teardown(() => client.close())
  return { client, bodies }
}

const form = (): FormData => {
  const data = new FormData()
  data.set('title', 'The Lighthouse Ledger')
  return data
}
const stream = (): Readable => Readable.from([Buffer.from('in '), Buffer.from('parts')])

const replayed: Record<string, (client: TokenClient) => Promise<number>> = {
  'a string': async client => (await client.request({ method: 'POST', path: '/', body: 'text' })).statusCode,
  bytes: async client =>
    (await client.request({ method: 'POST', path: '/', body: Buffer.from('bytes') })).statusCode,
  'a form': async client => (await client.request({ method: 'POST', path: '/', body: form() })).statusCode,
  'a small stream with its length': async client =>
    (
      await client.request({
        method: 'POST',
        path: '/',
        headers: { 'content-length': '8' },
        body: stream(),
      })
    ).statusCode,
  'headers as a list': async client =>
    (await client.request({ method: 'POST', path: '/', headers: ['Content-Length', '8'], body: stream() }))
      .statusCode,
  'no body': async client => (await client.request({ path: '/' })).statusCode,
  'fetch with text': async client => (await client.fetch('/', { method: 'POST', body: 'text' })).status,
  'fetch with a form': async client => (await client.fetch('/', { method: 'POST', body: form() })).status,
  'fetch with a Blob': async client =>
    (await client.fetch('/', { method: 'POST', body: new Blob(['in a blob']) })).status,
  'fetch with parameters': async client =>
    (await client.fetch('/', { method: 'POST', body: new URLSearchParams({ a: '1' }) })).status,
}

for (const [what, send] of Object.entries(replayed))
  t.test(`after a 401, ${what} is sent again unchanged`, async t => {
    const { client, bodies } = await start(t)
    t.equal(await send(client), 200)
    t.equal(bodies.length, 2)
    const [first, second] = bodies.map(body => body.replaceAll(/formdata-undici-\d+/g, 'boundary'))
    t.equal(first, second)
  })

const notReplayed: Record<string, (client: TokenClient) => Promise<number>> = {
  'a stream of unknown length': async client =>
    (await client.request({ method: 'POST', path: '/', body: stream() })).statusCode,
  'a large body of fetch': async client => {
    const answer = await client.fetch('/', { method: 'POST', body: 'x'.repeat(70_000) })
    await answer.text() // whoever closes the client waits for it
    return answer.status
  },
}

for (const [what, send] of Object.entries(notReplayed))
  t.test(
    `after a 401, ${what} cannot be sent again: the 401 is delivered, and the token is discarded`,
    async t => {
      const { client, bodies } = await start(t)
      const before = await client.getToken()
      t.equal(await send(client), 401)
      t.equal(bodies.length, 1)
      t.not((await client.getToken()).accessToken, before.accessToken)
      t.equal((await client.request({ path: '/' })).statusCode, 200, 'the next call has another token')
    },
  )
