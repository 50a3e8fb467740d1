import t from 'tap'
import { holdAnswer, jwksRequests, makeKey, untilAsked } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const minute = 60_000

t.test('sends one JWKS request for concurrent requests with a cold cache', async t => {
  const bench = await startBench(t)
  const tokens = Array.from({ length: 100 }, (_, index) => bench.token({ jti: `${index}` }))
  const answers = await Promise.all(tokens.map(token => bench.call(token)))
  t.ok(answers.every(({ statusCode }) => statusCode === 200))
  t.equal(jwksRequests(bench.issuer), 1)
})

t.test('renews keys in the background before they are stale', async t => {
  const bench = await startBench(t)
  await bench.call(bench.token())
  bench.clock.now += 4 * minute + 1
  t.equal((await bench.call(bench.token())).statusCode, 200)
  await untilAsked(bench.issuer, 2)
  t.equal(jwksRequests(bench.issuer), 2)
})

t.test('does not wait for a background renewal that hangs', async t => {
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

t.test('refuses a withdrawn key after the next renewal, also for cached tokens', async t => {
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
})

t.test('renews the keys after the clock was set back, without blocking key requests', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  const token = bench.token()
  await bench.call(token)
  await bench.call(bench.token({}, { kid: 'unknown' }))
  bench.clock.now -= 60 * minute
  bench.issuer.keys = [second.jwk]
  t.equal((await bench.call(bench.token({ jti: 'withdrawn' }))).statusCode, 401)
  t.equal(bench.lastReason(), 'unknown_key')
  await bench.call(bench.token({}, { kid: 'unknown' }))
  const third = makeKey('third')
  bench.issuer.keys = [bench.key.jwk, third.jwk]
  t.equal(
    (await bench.call(bench.token({}, {}, third))).statusCode,
    200,
    'requests of the later time do not count',
  )
  bench.issuer.goAway()
  bench.clock.now += 6 * minute
  t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 503)
  bench.issuer.comeBack()
  bench.clock.now -= 60 * minute
  t.equal((await bench.call(bench.token())).statusCode, 200, 'nor does the back-off')
})
