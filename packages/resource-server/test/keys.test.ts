import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import fastify from 'fastify'
import { Agent } from 'undici'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { fetchJwks } from '#src/verify/fetch-jwks.js'
import { connectToIssuer } from '#src/verify/issuer-connection.js'
import { fetchKeysOf } from '#src/verify/issuer-keys.js'
import { jwksRequests, makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { audience, startBench } from './protected-app.js'

const minute = 60_000

t.test('any number of cold requests cause one JWKS request', async t => {
  const bench = await startBench(t)
  const tokens = Array.from({ length: 100 }, (_, index) => bench.token({ jti: `${index}` }))
  const answers = await Promise.all(tokens.map(token => bench.call(token)))
  t.ok(answers.every(({ statusCode }) => statusCode === 200))
  t.equal(jwksRequests(bench.issuer), 1)
})

t.test('keys are renewed in the background before they age out', async t => {
  const bench = await startBench(t)
  await bench.call(bench.token())
  bench.clock.now += 4 * minute + 1
  t.equal((await bench.call(bench.token())).statusCode, 200)
  await untilAsked(bench.issuer, 2)
  t.equal(jwksRequests(bench.issuer), 2)
})

t.test('a new key is accepted at its first use; unknown ones cause one request in the cooldown', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  await bench.call(bench.token())
  bench.issuer.keys.push(second.jwk)
  t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 200)
  t.equal(jwksRequests(bench.issuer), 2)
  for (let index = 0; index < 50; index += 1)
    t.equal((await bench.call(bench.token({}, { kid: `random ${index}` }))).statusCode, 401)
  t.equal(jwksRequests(bench.issuer), 2, 'the cooldown counts from the request that an unknown key id caused')
  t.equal(bench.lastReason(), 'unknown_key')
  bench.clock.now += 30_001
  await bench.call(bench.token({}, { kid: 'random again' }))
  t.equal(jwksRequests(bench.issuer), 3)
})

t.test('a new key during an outage: nobody can tell, at any time until the issuer is back', async t => {
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

t.test('a new key is accepted also where an older request for the keys is still on its way', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  await bench.call(bench.token())
  const before = JSON.stringify({ keys: bench.issuer.keys })
  const held = holdAnswer(bench.issuer)
  bench.clock.now += 4 * minute + 1
  t.equal((await bench.call(bench.token())).statusCode, 200, 'a renewal in the background begins')
  const response = await held
  bench.issuer.answer = undefined
  bench.issuer.keys.push(second.jwk)
  const answer = bench.call(bench.token({}, {}, second))
  response.end(before)
  t.equal((await answer).statusCode, 200)
  t.equal(jwksRequests(bench.issuer), 3)
})

t.test('a clock that is set back renews the keys, and holds back no request for them', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  const token = bench.token()
  await bench.call(token)
  await bench.call(bench.token({}, { kid: 'unknown' }))
  bench.clock.now -= 60 * minute
  bench.issuer.keys = [second.jwk]
  t.equal((await bench.call(bench.token({ jti: 'withdrawn' }))).statusCode, 401)
  t.equal(bench.lastReason(), 'unknown_key')
  bench.issuer.keys = [bench.key.jwk]
  t.equal((await bench.call(bench.token())).statusCode, 200, 'the cooldown of the later time is over')
  bench.issuer.goAway()
  bench.clock.now += 6 * minute
  t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 503)
  bench.issuer.comeBack()
  bench.clock.now -= 60 * minute
  t.equal((await bench.call(bench.token())).statusCode, 200, 'so is the back-off')
})

t.test('a renewal in the background that hangs is waited for by nobody', async t => {
  const bench = await startBench(t)
  await bench.call(bench.token())
  const held = holdAnswer(bench.issuer)
  bench.clock.now += 4 * minute + 1
  t.equal((await bench.call(bench.token({ jti: 'starts it' }))).statusCode, 200)
  const response = await held
  for (let index = 0; index < 20; index += 1)
    t.equal((await bench.call(bench.token({ jti: `${index}` }))).statusCode, 200)
  t.equal(jwksRequests(bench.issuer), 2)
  response.destroy()
})

t.test('a flood of unknown keys and of good tokens at once, while the issuer rotates', async t => {
  const bench = await startBench(t)
  const keys = [bench.key, makeKey('second'), makeKey('third')]
  for (const [turn, key] of keys.entries()) {
    bench.issuer.keys = keys.slice(Math.max(0, turn - 1), turn + 1).map(({ jwk }) => jwk)
    const before = jwksRequests(bench.issuer)
    const calls = Array.from({ length: 60 }, (_, index) =>
      bench.call(
        index % 2 === 0
          ? bench.token({ jti: `${index}` }, { kid: `random ${index}` })
          : bench.token({ jti: `${index}` }, {}, key),
      ),
    )
    const statuses = (await Promise.all(calls)).map(({ statusCode }) => statusCode)
    t.strictSame(
      [...new Set(statuses.filter((_, index) => index % 2 === 1))],
      [200],
      `good ones, turn ${turn}`,
    )
    t.strictSame([...new Set(statuses.filter((_, index) => index % 2 === 0))], [401], `others, turn ${turn}`)
    t.ok(
      jwksRequests(bench.issuer) - before <= 2,
      `${jwksRequests(bench.issuer) - before} requests, turn ${turn}`,
    )
    bench.clock.now += 30_000
  }
})

t.test('known keys never wait for an unknown one', async t => {
  const bench = await startBench(t)
  const known = bench.token()
  await bench.call(known)
  const held = holdAnswer(bench.issuer)
  const waiting = bench.call(bench.token({}, { kid: 'unknown' }))
  const response = await held
  t.equal((await bench.call(bench.token({ jti: 'meanwhile' }))).statusCode, 200)
  response.end(JSON.stringify({ keys: bench.issuer.keys }))
  t.equal((await waiting).statusCode, 401)
})

t.test(
  'a key that the issuer withdraws is refused after the next renewal, also for tokens in the cache',
  async t => {
    const bench = await startBench(t)
    const second = makeKey('second')
    const token = bench.token({ exp: Math.floor(bench.clock.now / 1000) + 3_600 })
    t.equal((await bench.call(token)).statusCode, 200)
    bench.issuer.keys = [second.jwk]
    bench.clock.now += 5 * minute + 1
    const { statusCode } = await bench.call(token)
    t.equal(statusCode, 401)
    t.equal(bench.lastReason(), 'unknown_key')
    t.ok(
      bench.logged.some(({ withdrawn }) => Array.isArray(withdrawn) && withdrawn[0] === 'first'),
      'the log names it',
    )
  },
)

t.test('known keys serve through an outage, for a bounded time', async t => {
  const bench = await startBench(t)
  const live = (): string => bench.token({ jti: randomBytes(4).toString('hex') })
  await bench.call(live())
  bench.issuer.goAway()
  for (const minutes of [6, 20, 59]) {
    bench.clock.now += (minutes - (minutes === 6 ? 0 : minutes === 20 ? 6 : 20)) * minute
    t.equal((await bench.call(live())).statusCode, 200, `${minutes} minutes in`)
  }
  bench.clock.now += 2 * minute
  const { statusCode, headers } = await bench.call(live())
  t.equal(statusCode, 503, 'not for ever')
  t.ok(Number(headers['retry-after']) >= 1)
  t.equal(headers['www-authenticate'], undefined, 'nothing is said of the token')
  bench.issuer.comeBack()
  bench.clock.now += 2 * minute
  t.equal((await bench.call(live())).statusCode, 200, 'recovers by itself')
})

t.test('an answer that is no healthy set is an outage, not a withdrawal', async t => {
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

t.test('failures back off', async t => {
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

t.test('a cold start without the issuer is a 503, and recovers by itself', async t => {
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

t.test('requireKeysAtBoot: the application does not start, and says why', async t => {
  const key = makeKey('first')
  const issuer = await startHandMadeIssuer(t, [key])
  const starts = async (options: object): Promise<unknown> => {
    const app = fastify()
    await app.register(resourceServer, { issuer: issuer.url, audience, requireKeysAtBoot: true, ...options })
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
  t.match(await starts({ issuer: `${issuer.url}/` }), /is the metadata of the issuer .* not of/)
  t.match(await starts({ metadataUrl: `${issuer.url}/jwks` }), /is the metadata of the issuer undefined/)
  t.match(await starts({ jwksUri: `${issuer.url}/absent` }), /absent/)
  t.match(
    await starts({ issuer: `${issuer.url}/tenant` }),
    /answers 404.*oauth-authorization-server\/tenant answers 404/,
  )
  issuer.answer = response => void response.end('<html>')
  t.match(await starts({}), /jwks/)
  issuer.goAway()
  t.match(await starts({}), /ECONNREFUSED|connect/)
})

t.test('keys in memory, without any request', async t => {
  const key = makeKey('first')
  const bench = await startBench(t, { keys: [key.jwk] }, key)
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(bench.issuer.asked.length, 0)
})

t.test('keys that name no algorithm, or come as a certificate only', async t => {
  const bare = makeKey('bare', 'RS256')
  const bench = await startBench(t, {}, bare)
  bench.issuer.keys = [{ ...bare.publicKey.export({ format: 'jwk' }), kid: 'bare' }]
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(
    (await bench.call(bench.token({ jti: 'pss' }, { alg: 'PS256' }, { ...bare, algorithm: 'PS256' })))
      .statusCode,
    200,
  )
})

t.test('keys that cannot be used are ignored, with one warning each', async t => {
  const bench = await startBench(t)
  bench.issuer.keys = [
    bench.key.jwk,
    { ...makeKey('enc').jwk, kid: 'enc', use: 'enc' },
    { kty: 'oct', k: 'AAAA', kid: 'oct' },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'short' },
    {
      ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
      kid: '1024',
    },
    { ...makeKey('RSA for ES256', 'RS256').jwk, alg: 'ES256' },
    { ...makeKey('P-256 for ES384').jwk, alg: 'ES384' },
    { ...makeKey('P-256 for RS256').jwk, alg: 'RS256' },
    { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA', kid: 'curve' },
    { ...makeKey('ops').jwk, kid: 'ops', key_ops: ['sign'] },
  ]
  await bench.call(bench.token())
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  const healthy = bench.issuer.keys
  bench.issuer.keys = [...healthy.slice(1), { kty: 'oct', k: 'AAAA', kid: 'late' }]
  for (let turn = 0; turn < 3; turn += 1) {
    bench.clock.now += 6 * minute
    t.equal((await bench.call(bench.token())).statusCode, 200, 'a set without a usable key is an outage')
  }
  bench.issuer.keys = healthy
  bench.clock.now += 6 * minute
  await bench.call(bench.token())
  t.notOk(
    bench.logged.some(({ withdrawn }) => withdrawn !== undefined),
    'the key that comes back is the same',
  )
  const warned = bench.logged
    .filter(({ msg }) => msg === 'a key of the issuer is ignored')
    .map(({ kid }) => kid)
  t.strictSame([...warned].sort(), [
    '1024',
    'P-256 for ES384',
    'P-256 for RS256',
    'RSA for ES256',
    'curve',
    'enc',
    'late',
    'oct',
    'ops',
    'short',
  ])
})

t.test("the user's own dispatcher carries the requests, and stays open", async t => {
  const key = makeKey('first')
  let dispatched = 0
  const agent = new Agent()
  t.teardown(() => agent.close())
  const counting = agent.compose(dispatch => (options, handler) => {
    dispatched += 1
    return dispatch(options, handler)
  })
  const bench = await startBench(t, { dispatcher: counting }, key)
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(dispatched, 2, 'metadata and keys')
  await bench.app.close()
  t.equal(agent.closed, false)
})

/** Holds the next answer back, and gives it away. */
function holdAnswer(issuer: { answer: ((response: ServerResponse) => void) | undefined }) {
  return new Promise<ServerResponse>(resolve => {
    issuer.answer = resolve
  })
}

async function untilAsked(issuer: { asked: string[] }, times: number): Promise<void> {
  while (issuer.asked.filter(path => path === '/jwks').length < times)
    await new Promise(resolve => setImmediate(resolve))
}

t.test('an issuer that hangs, or drips, is given up in bounded time', async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  const connection = connectToIssuer(undefined, 40)
  t.teardown(() => connection.close())
  issuer.answer = () => {}
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, connection), 'it never answers')
  await t.rejects(connection.getJson(`${issuer.url}/jwks`), 'nor as metadata')
  issuer.answer = response => {
    const drip = setInterval(() => response.write(' '), 5)
    response.on('close', () => clearInterval(drip))
  }
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, connection), 'it never ends')
  await t.rejects(connection.getJson(`${issuer.url}/jwks`), 'nor as metadata')
})

t.test('metadata and keys have the time of one exchange together', async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  const connection = connectToIssuer(undefined)
  t.teardown(() => connection.close())
  let exchanges = 0
  const counting = {
    ...connection,
    exchange() {
      exchanges += 1
      return connection.exchange()
    },
    signal: () => t.fail('a time of its own') as never,
    getJson: () => t.fail('a time of its own') as never,
  }
  const fetchKeys = fetchKeysOf(
    {
      issuer: issuer.url,
      jwksUri: undefined,
      metadataUrl: undefined,
      algorithms: ['ES256'],
      allowInsecureHttp: false,
      now: Date.now,
      onIgnored: () => {},
    },
    counting,
  )
  t.equal((await fetchKeys()).length, 1)
  t.strictSame([exchanges, issuer.asked.length], [1, 2])
  const exchange = connection.exchange()
  t.equal(exchange.signal(), exchange.signal())
  t.not(connection.exchange().signal(), exchange.signal())
})
