import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { jwksRequests, makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { audience, startBench } from './protected-app.js'

const minute = 60_000

t.test('uses cached keys during an outage for a limited time', async t => {
  const bench = await startBench(t)
  const live = (): string => bench.token({ jti: randomBytes(4).toString('hex') })
  await bench.call(live())
  bench.issuer.goAway()
  const start = bench.clock.now
  // jwksMaxAgeMs is 5 minutes, jwksStaleIfErrorMs an hour.
  for (const minutes of [6, 20, 64]) {
    bench.clock.now = start + minutes * minute
    t.equal((await bench.call(live())).statusCode, 200, `${minutes} minutes in`)
  }
  bench.clock.now = start + 66 * minute
  const { statusCode, headers } = await bench.call(live())
  t.equal(statusCode, 503, 'not for ever')
  t.ok(Number(headers['retry-after']) >= 1)
  t.equal(headers['www-authenticate'], undefined, 'nothing is said of the token')
  bench.issuer.comeBack()
  bench.clock.now += 2 * minute
  t.equal((await bench.call(live())).statusCode, 200, 'recovers by itself')
})

t.test('treats an invalid key set as an outage, not as a withdrawal', async t => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    'status 500': response => void response.writeHead(500).end('{}'),
    'status 429': response => void response.writeHead(429).end('{}'),
    'no keys': response => void response.end('{"keys":[]}'),
    'keys is no list': response => void response.end('{"keys":{}}'),
    'only keys that cannot be used': response =>
      void response.end('{"keys":[{"kty":"oct","k":"AAAA","kid":"first"}]}'),
    'not JSON': response => void response.end('<html>maintenance</html>'),
    null: response => void response.end('null'),
    'ten megabytes': response => void response.end(Buffer.alloc(10_000_000, 32)),
    'a redirect': response => void response.writeHead(302, { location: '/elsewhere' }).end(),
    'cut off': response => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"keys"')
      response.destroy()
    },
  }
  for (const [name, answer] of Object.entries(answers)) {
    const bench = await startBench(t)
    await bench.call(bench.token())
    bench.issuer.answer = answer
    bench.clock.now += 6 * minute
    t.equal((await bench.call(bench.token({ jti: 'later' }))).statusCode, 200, name)
    t.ok(
      bench.logged.some(({ servingStale }) => servingStale === true),
      `${name}: the log tells`,
    )
    t.notOk(bench.issuer.asked.includes('/elsewhere'), 'no redirect is followed')
  }
})

t.test('responds with 503 to a new key during an outage', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  await bench.call(bench.token())
  bench.issuer.keys.push(second.jwk)
  bench.issuer.goAway()
  for (const seconds of [0, 0.5, 2, 10, 40]) {
    bench.clock.now += seconds * 1000
    const { statusCode } = await bench.call(bench.token({}, {}, second))
    t.equal(statusCode, 503, `${seconds} seconds later`)
    t.equal(
      (await bench.call(bench.token({ jti: `known ${seconds}` }))).statusCode,
      200,
      'known keys serve on',
    )
  }
  bench.issuer.comeBack()
  bench.clock.now += minute
  t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 200)
})

t.test('backs off after failures', async t => {
  const bench = await startBench(t)
  bench.issuer.answer = response => void response.writeHead(500).end('{}')
  await bench.app.ready()
  for (let index = 0; index < 50; index += 1)
    t.equal((await bench.call(bench.token({ jti: `${index}` }))).statusCode, 503)
  t.ok(jwksRequests(bench.issuer) <= 2, `${jwksRequests(bench.issuer)} requests for 50 calls`)
  bench.issuer.answer = undefined
  bench.clock.now += minute
  t.equal((await bench.call(bench.token())).statusCode, 200)
})

t.test('responds with 503 after a cold start without the issuer, and recovers', async t => {
  const key = makeKey('first')
  const issuer = await startHandMadeIssuer(t, [key])
  issuer.goAway()
  const bench = await startBench(t, { issuer: issuer.url }, key)
  const token = (): string => bench.token({ iss: issuer.url })
  t.equal((await bench.call(token())).statusCode, 503)
  issuer.comeBack()
  bench.clock.now += minute
  t.equal((await bench.call(token())).statusCode, 200)
})

t.test("does not start with prefetch: 'required' during an outage, and names the reason", async t => {
  const key = makeKey('first')
  const issuer = await startHandMadeIssuer(t, [key])
  const starts = async (options: object): Promise<unknown> => {
    const app = fastify()
    await app.register(resourceServer, { issuer: issuer.url, audience, prefetch: 'required', ...options })
    try {
      await app.ready()
      return 'ready'
    } catch (error) {
      return (error as Error).message
    } finally {
      await app.close()
    }
  }
  t.equal(await starts({}), 'ready')
  t.match(
    await starts({ issuer: `${issuer.url}/` }),
    /names the issuer ".*", but `issuer` is ".*\/"\. The two issuers differ only in the trailing slash: set `issuer` to/,
  )
  t.match(await starts({ metadataUrl: `${issuer.url}/jwks` }), /responded with JSON that has no issuer/)
  t.match(await starts({ jwksUri: `${issuer.url}/absent` }), /\/absent responded with 404, expected 200$/)
  t.match(
    await starts({ issuer: `${issuer.url}/tenant` }),
    /responded with 404.*oauth-authorization-server\/tenant responded with 404/,
  )
  issuer.answer = response => void response.writeHead(502).end('<html>')
  t.match(await starts({}), /\/jwks responded with 502, expected 200$/)
  issuer.answer = response => void response.writeHead(302, { location: '/elsewhere' }).end()
  t.match(
    await starts({}),
    /\/jwks responded with 302 \(redirects to \/elsewhere; redirects are not followed\)$/,
  )
  issuer.answer = response => void response.end('<html>')
  t.match(await starts({}), /\/jwks responded with 200 and application\/json, expected a JSON object$/)
  issuer.answer = response => void response.end('null')
  t.match(await starts({}), /\/jwks responded with 200 and application\/json, expected a JSON object$/)
  issuer.answer = response => void response.end('{"keys":[null]}')
  t.match(await starts({}), /\/jwks responded with JSON without keys; expected a JWK set$/)
  issuer.goAway()
  t.match(await starts({}), /ECONNREFUSED|connect/)
})
