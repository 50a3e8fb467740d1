import t from 'tap'
import { createUnknownKeys } from '#src/keys/unknown-keys.js'
import { holdAnswer, jwksRequests, makeKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const minute = 60_000

t.test('accepts a new key at its first use; unknown key ids cause five requests per cooldown', async t => {
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
  const before = bench.clock.now / 1000 - 10
  for (let index = 0; index < 4; index += 1) {
    const kid = `random ${index}`
    t.equal(
      (await bench.call(bench.token({ iat: before }, { kid }))).statusCode,
      401,
      'older than the answer',
    )
    t.equal((await bench.call(bench.token({}, { kid }))).statusCode, 503, 'it may be newer')
  }
  t.equal(jwksRequests(bench.issuer), 6)
  bench.clock.now += 10_000
  for (let index = 4; index < 50; index += 1) {
    const { statusCode, headers } = await bench.call(bench.token({}, { kid: `random ${index}` }))
    t.equal(statusCode, 503, 'the issuer cannot be asked yet, so the token cannot be verified')
    t.equal(headers['retry-after'], '20')
  }
  t.equal(jwksRequests(bench.issuer), 6)
  bench.clock.now += 20_001
  t.equal((await bench.call(bench.token({}, { kid: 'random again' }))).statusCode, 401)
  t.equal(jwksRequests(bench.issuer), 7)
})

t.test('accepts a new key although an invented key id arrives in each cooldown', async t => {
  const bench = await startBench(t)
  const keys = [bench.key, makeKey('second'), makeKey('third'), makeKey('fourth')]
  for (const key of keys) {
    t.equal((await bench.call(bench.token({}, { kid: 'invented' }))).statusCode, 401)
    bench.issuer.keys = [...bench.issuer.keys, key.jwk]
    t.equal((await bench.call(bench.token({}, {}, key))).statusCode, 200)
    bench.clock.now += 30_001
  }
})

t.test('does not refuse tokens of a new key as invalid after its key id was guessed', async t => {
  const bench = await startBench(t)
  const second = makeKey('second')
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal((await bench.call(bench.token({}, { kid: 'second' }))).statusCode, 401, 'guessed')
  t.equal(jwksRequests(bench.issuer), 2)
  bench.clock.now += 10_000
  bench.issuer.keys.push(second.jwk)
  const genuine = bench.token({}, {}, second)
  for (let call = 0; call < 20; call += 1) {
    const { statusCode, headers } = await bench.call(genuine)
    t.equal(statusCode, 503, 'the issuer was asked for this key already')
    t.equal(headers['retry-after'], '20')
    t.equal(bench.lastReason(), 'unavailable')
  }
  const old = bench.token({ iat: bench.clock.now / 1000 - 60 }, { kid: 'second' })
  t.equal((await bench.call(old)).statusCode, 401, 'it was issued before the issuer listed the key')
  t.equal((await bench.call(bench.token({ jti: 'known' }))).statusCode, 200)
  t.equal(jwksRequests(bench.issuer), 2)
  bench.clock.now += 20_000
  t.equal((await bench.call(genuine)).statusCode, 200)
  t.equal(jwksRequests(bench.issuer), 3)
})

t.test('refuses tokens of a withdrawn key as invalid, so that clients request new ones', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  const second = makeKey('second')
  bench.issuer.keys = [second.jwk]
  bench.clock.now += 4 * minute
  t.equal((await bench.call(bench.token({}, {}, second))).statusCode, 200)
  for (let call = 0; call < 5; call += 1) {
    t.equal((await bench.call(token)).statusCode, 401)
    t.equal(bench.lastReason(), 'unknown_key')
  }
})

t.test('treats a token without iat as newer than the last response of the issuer', async t => {
  const bench = await startBench(t, { profile: 'generic' })
  await bench.call(bench.token())
  const token = bench.token({ iat: undefined }, { kid: 'unknown' })
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal((await bench.call(token)).statusCode, 503)
  bench.clock.now += 30_000
  t.equal((await bench.call(token)).statusCode, 401, 'asked again')
})

t.test('handles ten thousand waiting key ids quickly and remembers few of them', async t => {
  let time = 1_000_000
  const unknown = createUnknownKeys(30_000, () => time)
  const startedAt = performance.now()
  for (let index = 0; index < 10_000; index += 1) unknown.noteAbsent(`kid ${index}`)
  t.ok(performance.now() - startedAt < 250)
  t.equal(unknown.absentAt('kid 9999'), time)
  t.equal(unknown.absentAt('kid 8999'), undefined)
  t.equal(unknown.absentAt('kid 9000'), time)
  time += 30_000
  unknown.noteAbsent('kid 1')
  t.equal(unknown.absentAt('kid 9999'), undefined)
})

t.test('accepts a new key while an older key request is in flight', async t => {
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

t.test('does not delay known keys because of an unknown one', async t => {
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

t.test('accepts valid tokens during a flood of unknown keys and a key rotation', async t => {
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
