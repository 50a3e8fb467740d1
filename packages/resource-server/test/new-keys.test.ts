import t from 'tap'
import { holdAnswer, jwksRequests, makeKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const minute = 60_000

t.test(
  'a new key is accepted at its first use, and unknown key ids cause five requests in a cooldown',
  async t => {
    const bench = await startBench(t)
    const second = makeKey('second')
    await bench.call(bench.token())
    bench.issuer.keys.push(second.jwk)
    t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 200)
    t.equal(jwksRequests(bench.issuer), 2)
    for (let index = 0; index < 4; index += 1) {
      t.equal((await bench.call(bench.token({}, { kid: `random ${index}` }))).statusCode, 401)
      t.equal(bench.lastReason(), 'unknown_key')
    }
    for (let index = 0; index < 4; index += 1)
      t.equal((await bench.call(bench.token({}, { kid: `random ${index}` }))).statusCode, 401, 'asked before')
    t.equal(jwksRequests(bench.issuer), 6)
    bench.clock.now += 10_000
    for (let index = 4; index < 50; index += 1) {
      const { statusCode, headers } = await bench.call(bench.token({}, { kid: `random ${index}` }))
      t.equal(statusCode, 503, 'the issuer may not be asked, so nobody knows')
      t.equal(headers['retry-after'], '20')
    }
    t.equal(jwksRequests(bench.issuer), 6)
    bench.clock.now += 20_001
    t.equal((await bench.call(bench.token({}, { kid: 'random again' }))).statusCode, 401)
    t.equal(jwksRequests(bench.issuer), 7)
  },
)

t.test('one invented key id in each cooldown does not keep a new key out', async t => {
  const bench = await startBench(t)
  const keys = [bench.key, makeKey('second'), makeKey('third'), makeKey('fourth')]
  for (const key of keys) {
    t.equal((await bench.call(bench.token({}, { kid: 'invented' }))).statusCode, 401)
    bench.issuer.keys = [...bench.issuer.keys, key.jwk]
    t.equal((await bench.call(bench.token({}, {}, key))).statusCode, 200)
    bench.clock.now += 30_001
  }
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
