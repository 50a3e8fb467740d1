import type { IncomingHttpHeaders } from 'node:http'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { FormData as UndiciFormData, Headers as UndiciHeaders, Request as UndiciRequest } from 'undici'
import type { TokenClient } from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A client, and an API that records what it receives. */
async function start(t: Test): Promise<{ client: TokenClient; url: string; received: Received[] }> {
  const endpoint = await startTokenEndpoint(t)
  const received: Received[] = []
  const { url } = await startApi(t, (request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      received.push({ method: request.method, url: request.url, headers: request.headers, body })
      response.setHeader('content-type', 'application/json')
      response.end('{}')
    })
  })
  return { client: clientOf(t, endpoint, `${url}/v1`), url, received }
}

const requestClasses = { 'Node’s': Request, 'undici’s': UndiciRequest as unknown as typeof Request }
for (const [whose, OneRequest] of Object.entries(requestClasses)) {
  t.test(`${whose} Request as the first argument is sent with its method, headers and body`, async t => {
    const { client, url, received } = await start(t)
    const request = new OneRequest(`${url}/v1/receipts?page=1`, {
      method: 'PUT',
      headers: { 'x-own': '1', 'content-type': 'application/json' },
      body: '{"paid":true}',
    })
    t.equal((await client.fetch(request)).status, 200)
    t.match(received, [
      {
        method: 'PUT',
        url: '/v1/receipts?page=1',
        headers: { 'x-own': '1', 'content-type': 'application/json', authorization: 'Bearer token-1' },
        body: '{"paid":true}',
      },
    ])
  })

  t.test(`${whose} Request as the second argument is not sent as a bare GET`, async t => {
    const { client, url, received } = await start(t)
    const request = new OneRequest('https://elsewhere.example', {
      method: 'POST',
      headers: { 'x-own': '1' },
      body: 'paid',
    })
    t.equal((await client.fetch(`${url}/v1/receipts`, request)).status, 200)
    t.match(received, [{ method: 'POST', url: '/v1/receipts', headers: { 'x-own': '1' }, body: 'paid' }])
  })

  t.test(`init overrides the members of ${whose} Request, and its signal aborts the call`, async t => {
    const { client, url, received } = await start(t)
    const request = new OneRequest(`${url}/v1/receipts`, { method: 'POST', body: 'paid' })
    await client.fetch(request, { method: 'PATCH', headers: { 'x-own': '2' }, body: 'refunded' })
    t.match(received, [{ method: 'PATCH', headers: { 'x-own': '2' }, body: 'refunded' }])
    const aborted = new OneRequest(`${url}/v1/receipts`, { signal: AbortSignal.abort() })
    await t.rejects(client.fetch(aborted), { name: 'AbortError' })
    t.equal(received.length, 1)
  })

  t.test(`${whose} Request for another origin is refused`, async t => {
    const { client, received } = await start(t)
    await t.rejects(client.fetch(new OneRequest('https://elsewhere.example/v1/receipts')), {
      code: 'TOKEN_CLIENT_ORIGIN_NOT_ALLOWED',
    })
    t.equal(received.length, 0)
  })
}

t.test('the types of the Request classes of undici and Node.js are both accepted', async t => {
  const { client, url, received } = await start(t)
  await client.fetch(new UndiciRequest(`${url}/v1/a`), new UndiciRequest(url, { method: 'PUT' }))
  await client.fetch(new Request(`${url}/v1/b`), new Request(url, { method: 'PUT' }))
  t.match(received, [
    { method: 'PUT', url: '/v1/a' },
    { method: 'PUT', url: '/v1/b' },
  ])
})

t.test('a Request whose body was read is refused, as in native fetch', async t => {
  const { client, url, received } = await start(t)
  const request = new Request(`${url}/v1/receipts`, { method: 'POST', body: 'paid' })
  await request.text()
  await t.rejects(client.fetch(request), { name: 'TypeError' })
  t.equal(received.length, 0)
})

for (const init of ['POST', 7, true])
  t.test(`${JSON.stringify(init)} as the second argument is refused`, async t => {
    const { client } = await start(t)
    await t.rejects(client.fetch('/', init as never), /second argument of fetch is .*; expected an object/)
  })

const formClasses = { 'Node’s': FormData, 'undici’s': UndiciFormData as unknown as typeof FormData }
for (const [whose, Form] of Object.entries(formClasses))
  for (const way of ['fetch', 'request', 'stream'] as const)
    t.test(`${way} sends ${whose} FormData as a form, with its files`, async t => {
      const { client, received } = await start(t)
      const body = new Form()
      body.set('title', 'The Lighthouse Ledger')
      body.append('page', new Blob(['in a blob'], { type: 'text/plain' }), 'page.txt')
      await send(client, way, body)
      t.match(received, [
        {
          headers: { 'content-type': /^multipart\/form-data; boundary=/ },
          body: /name="title"\r\n\r\nThe Lighthouse Ledger\r\n.*filename="page.txt"\r\nContent-Type: text\/plain\r\n\r\nin a blob/s,
        },
      ])
    })

for (const way of ['fetch', 'request', 'stream'] as const) {
  t.test(`${way} sends URLSearchParams as a form`, async t => {
    const { client, received } = await start(t)
    await send(client, way, new URLSearchParams({ title: 'Ledger & Lamp' }))
    t.match(received, [
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
        body: 'title=Ledger+%26+Lamp',
      },
    ])
  })

  t.test(`${way} sends a Blob with its type`, async t => {
    const { client, received } = await start(t)
    await send(client, way, new Blob(['<b/>'], { type: 'text/xml' }))
    t.match(received, [{ headers: { 'content-type': 'text/xml' }, body: '<b/>' }])
  })
}

t.test('the content type of the caller takes precedence', async t => {
  const { client, received } = await start(t)
  const body = new URLSearchParams({ a: '1' }) as never
  const headers = { 'Content-Type': 'application/vnd.form' }
  await (await client.request({ method: 'POST', path: '/', headers, body })).body.dump()
  t.equal(received[0]?.headers['content-type'], 'application/vnd.form')
})

async function send(client: TokenClient, way: 'fetch' | 'request' | 'stream', body: unknown): Promise<void> {
  const call = { method: 'POST', path: '/forms', body: body as never } as const
  if (way === 'fetch') await client.fetch('/forms', { method: 'POST', body: body as never })
  else if (way === 'request') await (await client.request(call)).body.dump()
  else await client.stream(call, () => new Writable({ write: (_, __, done) => done() }))
}

const headerForms: Readonly<Record<string, unknown>> = {
  'an object': { 'X-Own': '1', Accept: 'text/csv', 'x-list': ['a', 'b'], 'x-unset': undefined },
  'Node’s Headers': new Headers({ 'X-Own': '1', Accept: 'text/csv', 'x-list': 'a, b' }),
  'undici’s Headers': new UndiciHeaders({ 'X-Own': '1', Accept: 'text/csv', 'x-list': 'a, b' }),
  'a flat list': ['X-Own', '1', 'Accept', 'text/csv', 'x-list', 'a', 'X-List', 'b'],
  pairs: [
    ['X-Own', '1'],
    ['Accept', 'text/csv'],
    ['x-list', 'a'],
    ['x-list', 'b'],
  ],
  'a Map': new Map([
    ['X-Own', '1'],
    ['Accept', 'text/csv'],
    ['x-list', 'a, b'],
  ]),
}
for (const [what, headers] of Object.entries(headerForms))
  t.test(`JSON calls accept headers as ${what}, which take precedence over the defaults`, async t => {
    const { client, received } = await start(t)
    await client.post('/receipts', { json: { paid: true }, headers: headers as never })
    t.match(received, [
      {
        headers: {
          'x-own': '1',
          accept: 'text/csv',
          'x-list': 'a, b',
          'content-type': 'application/json',
          authorization: 'Bearer token-1',
        },
      },
    ])
    t.notOk('x-unset' in (received[0]?.headers ?? {}))
  })
