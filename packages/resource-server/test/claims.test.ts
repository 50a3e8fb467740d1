import { Type } from 'typebox'
import t from 'tap'
import { startBench } from './protected-app.js'

t.test('every claim of RFC 9068 has to be there, and of its type', async t => {
  const bench = await startBench(t)
  const wrong: Record<string, unknown[]> = {
    iss: [undefined, null, '', 1, true, [], {}, [bench.issuer.url]],
    sub: [undefined, null, '', 1, true, [], {}],
    aud: [
      undefined,
      null,
      '',
      1,
      true,
      [],
      {},
      [1],
      [null],
      ['https://api.example.com', 1],
      ['https://other.example.com'],
      { 0: 'https://api.example.com' },
    ],
    exp: [undefined, null, '', '1900000000', true, [], {}, -1, 1e300, [1_900_000_000]],
    iat: [undefined, null, '', '1', true, [], {}, -1, 1e300],
    nbf: [null, '', '1', true, [], {}, -1, 1e300],
    jti: [undefined, null, '', 1, true, [], {}],
    client_id: [undefined, null, '', 1, true, [], {}],
  }
  for (const [claim, values] of Object.entries(wrong))
    for (const value of values) {
      const { statusCode } = await bench.call(bench.token({ [claim]: value }))
      t.equal(statusCode, 401, `${claim}: ${JSON.stringify(value)}`)
    }
  t.equal(
    (await bench.call(bench.token({ aud: ['https://other.example.com', 'https://api.example.com'] })))
      .statusCode,
    200,
  )
})

t.test('times, with five seconds of tolerance', async t => {
  const bench = await startBench(t)
  const now = bench.clock.now / 1000
  const cases: [claims: Record<string, unknown>, status: number][] = [
    [{ exp: now + 1 }, 200],
    [{ exp: now - 4.9 }, 200],
    [{ exp: now - 5 }, 401],
    [{ exp: now - 3_600 }, 401],
    [{ nbf: now + 5 }, 200],
    [{ nbf: now + 5.1 }, 401],
    [{ iat: now + 5 }, 200],
    [{ iat: now + 5.1 }, 401],
    [{ iat: now + 3_600 }, 401],
  ]
  for (const [claims, status] of cases)
    t.equal(
      (await bench.call(bench.token({ ...claims, jti: JSON.stringify(claims) }))).statusCode,
      status,
      JSON.stringify(claims),
    )
})

t.test('a clock that stops to tell the time lets nothing in', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  const other = bench.token({ jti: 'other' })
  bench.clock.now = Number.NaN
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal((await bench.call(other)).statusCode, 401)
})

t.test('a token that expires while it is in the cache', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 299_000
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 6_001
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal(bench.lastReason(), 'expired')
})

t.test('maxTokenAgeMs bounds the age whatever exp says, also in the cache', async t => {
  const bench = await startBench(t, { maxTokenAgeMs: 60_000 })
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 65_001
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal(bench.lastReason(), 'expired')
})

t.test(
  'a token in the cache whose time has not come yet, once a clock that ran ahead is set right',
  async t => {
    for (const claim of ['iat', 'nbf']) {
      const bench = await startBench(t)
      await bench.call(bench.token({ jti: 'fetches the keys' }))
      const ahead = Math.floor(bench.clock.now / 1000) + 60
      const token = bench.token({ [claim]: ahead })
      bench.clock.now += 60_000
      t.equal((await bench.call(token)).statusCode, 200)
      bench.clock.now -= 54_000
      t.equal((await bench.call(token)).statusCode, 401, claim)
      t.equal(bench.lastReason(), 'not_yet_valid')
      bench.clock.now += 49_000
      t.equal((await bench.call(token)).statusCode, 200, 'within the tolerance')
    }
  },
)

t.test('requiredClaims', async t => {
  const bench = await startBench(t, { requiredClaims: ['tenant'] })
  t.equal((await bench.call(bench.token())).statusCode, 401)
  t.equal((await bench.call(bench.token({ tenant: null }))).statusCode, 401)
  t.equal((await bench.call(bench.token({ tenant: 'a' }))).statusCode, 200)
})

t.test("the application's own claims, by a schema", async t => {
  const claims = Type.Object({ tenant: Type.String({ minLength: 3 }) })
  const bench = await startBench(t, { claims })
  t.equal((await bench.call(bench.token({ tenant: 'abc' }))).statusCode, 200)
  for (const tenant of [undefined, 'ab', 5, null]) {
    t.equal((await bench.call(bench.token({ tenant }))).statusCode, 401, JSON.stringify(tenant))
    t.equal(bench.lastReason(), 'claim')
  }
})
