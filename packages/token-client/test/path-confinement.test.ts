import fc from 'fast-check'
import t, { type Test } from 'tap'
import { clientOf, ok, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

/** The same cases in every run. */
const often = { seed: 20_261_129, numRuns: 2_000 }

// Each of these stands for a server, a proxy or a URL parser that understands it as `.`, `/`, or nothing.
const dot = fc.constantFrom(
  '.',
  '%2e',
  '%2E',
  '%252e',
  '%25252E',
  '%25%32%65',
  '%u002e',
  '%c0%ae',
  '%ef%bc%8e',
)
const slash = fc.constantFrom('/', '%2f', '%2F', '%252f', '\\', '%5c', '%255C', '%c0%af', '%u002F', '//')
const ignored = fc.constantFrom('', '', '', '\t', '\n', '%09', '%0a', '%00', '%20', '%2500')
const parameters = fc.constantFrom('', '', ';', ';a=1', '%3b', '%3Bx', '%253b')
const dotSegment = fc.tuple(ignored, dot, ignored, dot, ignored, parameters).map(parts => parts.join(''))
/** Segments that mean themselves: also with dots, percent signs and encoded slashes in them. */
const ordinary = fc
  .array(
    fc.constantFrom(
      'a',
      'Z',
      '7',
      '-',
      '_',
      '~',
      '@',
      ':',
      '%20',
      '%C3%A9',
      '%2F',
      '%252F',
      '%25',
      'a.b',
      'a..b',
      '...',
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map(parts => parts.join(''))
  .filter(segment => !/^(?:%2F|%252F|%20|%25)*\.\.?(?:%2F|%252F|%20|%25)*$/.test(segment))

async function start(test: Test) {
  const endpoint = await startTokenEndpoint(test)
  const api = await startApi(test, ok)
  return { api, endpoint, client: clientOf(test, endpoint, `${api.url}/v1/tenants/42`) }
}

t.test('no encoding of `..` or of a slash leaves the path of baseUrl', async t => {
  const { api, client } = await start(t)
  const hostile = fc
    .tuple(
      fc.array(ordinary, { maxLength: 2 }),
      slash,
      dotSegment,
      fc.option(slash, { nil: '' }),
      fc.array(ordinary, { maxLength: 2 }),
    )
    .map(([before, first, dots, last, after]) => {
      const end = after.length === 0 ? last : `${last === '' ? '/' : last}${after.join('/')}`
      return `/x${before.join('/')}${first}${dots}${end}`
    })
  await fc.assert(
    fc.asyncProperty(hostile, fc.constantFrom('request', 'get', 'fetch'), async (path, way) => {
      const call: Promise<unknown> =
        way === 'request' ? client.request({ path }) : way === 'get' ? client.get(path) : client.fetch(path)
      const failure = await call.catch((error: unknown) => error)
      const refused = failure instanceof TypeError && /\.\. segments|percent-encoded/.test(failure.message)
      if (!refused) throw new Error(`${JSON.stringify(path)} was not refused: ${String(failure)}`)
    }),
    often,
  )
  t.equal(api.seen.length, 0)
})

t.test('ordinary paths are sent unchanged, including encoded slashes and dots', async t => {
  const { api, client } = await start(t)
  const path = fc.array(ordinary, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`)
  await fc.assert(
    fc.asyncProperty(path, async given => {
      await (await client.request({ path: given })).body.dump()
      if (api.seen.at(-1)?.url !== `/v1/tenants/42${given}`)
        throw new Error(`${given} was sent as ${api.seen.at(-1)?.url}`)
    }),
    { ...often, numRuns: 100 },
  )
})

for (const path of [
  '/..',
  '/../43/items',
  '/..%2f43/items',
  '/..%5c43',
  '/%2e%2e;/43',
  '/a/..;/b',
  '/a/..;jsessionid=1/b',
  '/%252e%252e/43',
  '/a%2F..%2F..%2F43',
  '/.\t./43',
  '/a/..#b',
  '/a/..%3fb',
  '/．．/43',
])
  t.test(`${JSON.stringify(path)} is refused`, async t => {
    const { api, client } = await start(t)
    const calls: Promise<unknown>[] = [client.request({ path }), client.fetch(path), client.get(path)]
    for (const call of calls)
      await t.rejects(call, { name: 'TypeError', message: /must not contain \.\. segments/ })
    t.equal(api.seen.length, 0)
  })

t.test('the message does not contain the path, which an external caller may have sent', async t => {
  const { client } = await start(t)
  const failure = (await client.get('/..%2fsecret-place').catch((error: unknown) => error)) as Error
  t.notMatch(failure.message + JSON.stringify(failure), 'secret-place')
  t.match(failure, { detail: /secret-place/, stack: /secret-place/ })
})

t.test('a complete URL with an encoded `..` is refused as well', async t => {
  const { api, client } = await start(t)
  for (const url of [
    `${api.url}/v1/tenants/42/..%2f43`,
    `${api.url}/v1/tenants/42/../43`,
    new URL(`${api.url}/v1/tenants/42/..%2f43`),
    new Request(`${api.url}/v1/tenants/42/%252e%252e/43`),
  ])
    await t.rejects(client.fetch(url), { message: /must not contain \.\. segments/ })
  t.equal(api.seen.length, 0)
})

t.test('a query may contain anything', async t => {
  const { api, client } = await start(t)
  await (await client.request({ path: '/items?next=/../..%2f&x=%252e%252e' })).body.dump()
  t.equal(api.seen[0]?.url, '/v1/tenants/42/items?next=/../..%2f&x=%252e%252e')
})

t.test('a path that is encoded many times is refused in bounded time', async t => {
  const { client } = await start(t)
  await t.rejects(client.request({ path: `/%${'25'.repeat(7_000)}2e` }), {
    message: /percent-encoded more than/,
  })
})
