import t from 'tap'
import { coverage, interval } from '#src/harness/interval.js'
import { atLeast, factGoal } from '#src/report/verdict.js'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => count - n)

t.test('the interval of the median drops as many values at each end as 95 % allow', async t => {
  t.match(interval(upTo(6)), { median: 3.5, low: 1, high: 6 })
  t.match(interval(upTo(8)), { median: 4.5, low: 1, high: 8 })
  t.match(interval(upTo(9)), { median: 5, low: 2, high: 8 })
  t.match(interval(upTo(20)), { median: 10.5, low: 6, high: 15 })
  for (const count of [6, 8, 9, 20]) t.ok(interval(upTo(count)).confidence >= 0.95)
})

t.test('fewer than six values give the whole range', async t => {
  t.strictSame(interval([3, 1, 2]), { median: 2, low: 1, high: 3, confidence: 0.75 })
  t.strictSame(interval([7]), { median: 7, low: 7, high: 7, confidence: 0 })
})

t.test('the coverage is that of published tables of order-statistic intervals', async t => {
  t.equal(coverage(6, 0).toFixed(4), '0.9688')
  t.equal(coverage(9, 1).toFixed(4), '0.9609')
  t.equal(coverage(20, 5).toFixed(4), '0.9586')
})

t.test('a goal is met only by a whole interval', async t => {
  const confidence = 0.96
  t.equal(atLeast({ low: 0.92, high: 0.99, confidence }, 0.92), '✅')
  t.equal(atLeast({ low: 0.91, high: 0.99, confidence }, 0.92), '❔')
  t.equal(atLeast({ low: 0.8, high: 0.91, confidence }, 0.92), '❌')
  t.equal(atLeast({ low: 0.98, high: 0.99, confidence: 0.93 }, 0.92), '❔', 'of too few processes')
  t.equal(atLeast({ low: Number.NaN, high: Number.NaN, confidence }, 0.92), '❔')
  t.equal(
    factGoal({ what: 'time', value: 44, low: 40, high: 46, confidence, unit: 'ms', atMost: 45 }),
    '❔ ≤ 45 ms',
  )
  t.equal(factGoal({ what: 'time', value: 44, unit: 'ms', atMost: 45 }), '✅ ≤ 45 ms')
})
