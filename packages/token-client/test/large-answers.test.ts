import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { UnexpectedBodyError, UnexpectedStatusError } from 'fastify-token-client'
import { clientOf, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

const limit = 10 * 1024 * 1024

/** Writes for as long as somebody reads; resolves when the connection is gone. */
function writeWithoutEnd(response: ServerResponse, text: string): Promise<void> {
  const more = (): void => {
    while (!response.destroyed && response.write(text));
  }
  response.on('drain', more)
  more()
  return new Promise(resolve => response.on('close', resolve))
}

t.test('an endless JSON body is an error, and its connection is closed', async t => {
  const endpoint = await startTokenEndpoint(t)
  let letGo: Promise<void> | undefined
  const api = await startApi(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('[0')
    letGo = writeWithoutEnd(response, ', "very secret"'.repeat(10_000))
  })
  const failure = await clientOf(t, endpoint, api.url)
    .get('/receipts')
    .catch((error: unknown) => error)
  t.ok(failure instanceof UnexpectedBodyError)
  t.match(failure, {
    statusCode: 502,
    detail: 'unexpected response body for GET /receipts: larger than 10485760 bytes',
  })
  await letGo
})

t.test('the error for an endless body has its beginning, and the connection is closed', async t => {
  const endpoint = await startTokenEndpoint(t)
  let letGo: Promise<void> | undefined
  const api = await startApi(t, (_, response) => {
    response.writeHead(500)
    letGo = writeWithoutEnd(response, 'oh no '.repeat(10_000))
  })
  const failure = await clientOf(t, endpoint, api.url)
    .get('/receipts')
    .catch((error: unknown) => error as UnexpectedStatusError)
  t.ok(failure instanceof UnexpectedStatusError)
  t.match(failure, { status: 500, body: 'oh no '.repeat(1_000).slice(0, 1_000) })
  await letGo
})

const jsonOf = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`

t.test('JSON of exactly the maximum size is accepted, and one byte more is not', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, ({ url }, response) => void response.end(jsonOf(Number(url?.slice(1)))))
  const client = clientOf(t, endpoint, api.url)
  t.equal((await client.get(`/${limit}`)).body, jsonOf(limit).slice(1, -1))
  await t.rejects(client.get(`/${limit + 1}`), { code: 'TOKEN_CLIENT_UNEXPECTED_BODY' })
})

t.test('the size limit applies to the decoded body', async t => {
  const endpoint = await startTokenEndpoint(t)
  const small = gzipSync(`"${'x'.repeat(limit)}"`)
  const api = await startApi(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(small),
  )
  const client = clientOf(t, endpoint, api.url, { interceptors: { decompress: true } })
  await t.rejects(client.get('/'), { code: 'TOKEN_CLIENT_UNEXPECTED_BODY', detail: /larger than/ })
})

t.test('characters that are split between chunks are decoded, and a byte order mark is removed', async t => {
  const endpoint = await startTokenEndpoint(t)
  const api = await startApi(t, (_, response) => {
    const bytes = Buffer.from('\uFEFF"Überweisung für Жанна 📚"')
    response.write(bytes.subarray(0, 5))
    setImmediate(() => response.end(bytes.subarray(5)))
  })
  t.equal((await clientOf(t, endpoint, api.url).get('/')).body, 'Überweisung für Жанна 📚')
})
