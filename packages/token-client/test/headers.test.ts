import t from 'tap'
import { clientOf, ok, startApi } from './calling.js'
import { startTokenEndpoint } from './token-endpoint.js'

const headers: Record<string, never> = {
  'an object': { Authorization: 'Basic theirs', 'x-own': '1' } as never,
  'a list': ['AUTHORIZATION', 'Basic theirs', 'x-own', '1'] as never,
  pairs: [
    ['authorization', 'Basic theirs'],
    ['x-own', '1'],
  ] as never,
  'a Map': new Map([
    ['authorization', 'Basic theirs'],
    ['x-own', '1'],
  ]) as never,
}
for (const [what, given] of Object.entries(headers))
  t.test(`headers as ${what}: the token is added to a copy`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const own: unknown[] = []
    const api = await startApi(t, (request, response) => {
      own.push(
        request.headers['x-own'],
        request.rawHeaders.filter(name => /^authorization$/i.test(name)).length,
      )
      ok(request, response)
    })
    const before = JSON.stringify(Object.entries(given))
    await clientOf(t, endpoint, api.url).request({ path: '/', headers: given })
    t.equal(api.seen[0]?.authorization, 'Bearer token-1')
    t.strictSame(own, ['1', 1])
    t.equal(JSON.stringify(Object.entries(given)), before)
  })

// Field names of RFC 9110 §5.1, all of them.
const ofObjects = ['constructor', 'toString', '__proto__']
const awkward: Record<string, unknown> = {
  'an object': Object.fromEntries(ofObjects.map(name => [name, 'kept'])),
  'an object with lists': Object.fromEntries(ofObjects.map(name => [name, ['kept']])),
  'a list': ofObjects.flatMap(name => [name, 'kept']),
  pairs: ofObjects.map(name => [name, 'kept']),
  'a Map': new Map(ofObjects.map(name => [name, 'kept'])),
}
for (const [what, given] of Object.entries(awkward))
  t.test(`headers as ${what}: names of Object.prototype are sent too`, async t => {
    const endpoint = await startTokenEndpoint(t)
    const sent: string[] = []
    const api = await startApi(t, (request, response) => {
      sent.push(...request.rawHeaders)
      ok(request, response)
    })
    await clientOf(t, endpoint, api.url).request({ path: '/', headers: given as never })
    for (const name of ofObjects) t.equal(sent[sent.indexOf(name) + 1], 'kept', name)
    t.equal(api.seen[0]?.authorization, 'Bearer token-1')
  })

t.test('a repeated header is sent twice', async t => {
  const endpoint = await startTokenEndpoint(t)
  const accepted: unknown[] = []
  const api = await startApi(t, (request, response) => {
    accepted.push(request.headers.accept)
    ok(request, response)
  })
  const twice = [
    ['accept', 'application/json'],
    ['accept', 'text/plain'],
  ]
  await clientOf(t, endpoint, api.url).request({ path: '/', headers: twice as never })
  t.strictSame(accepted, ['application/json, text/plain'])
})
