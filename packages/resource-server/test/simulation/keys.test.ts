import fc from 'fast-check'
import t from 'tap'
import { inSimulatedTime } from 'test-support/simulated-time'
import { KeyWorld, type Step } from './key-world.js'

/**
 * A year of bad days: two replicas and their issuer, in simulated time. After each step, everything that
 * docs/security.md promises must hold. `SIMULATION_RUNS=100000 SIMULATION_SEED=7` runs more, with another seed.
 */
const numRuns = Number(process.env['SIMULATION_RUNS'] ?? 1_000)
const seed = Number(process.env['SIMULATION_SEED'] ?? 1)

const replica = fc.nat({ max: 1 })
const times = fc.integer({ min: 1, max: 4 })
const one = <T>(value: T): fc.Arbitrary<T> => fc.constant(value)
const ms = fc.oneof(
  fc.nat({ max: 100 }),
  fc.nat({ max: 12_000 }),
  fc.nat({ max: 400_000 }),
  fc.nat({ max: 7_200_000 }),
)
const modes = fc.constantFrom('up', 'up', 'slow', 'hangs', 'unreachable', 'malformed', 'no keys')
const clockChange = fc.oneof(
  fc.integer({ min: -5_000, max: 5_000 }),
  fc.integer({ min: -7_200_000, max: 7_200_000 }),
)
const seconds = fc.constantFrom(1, 60, 300, 3_600, 86_400)

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({ do: one('present' as const), replica, token: fc.nat({ max: 3 }), times }),
  },
  { weight: 5, arbitrary: fc.record({ do: one('wait' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ do: one('issue' as const), seconds }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: one('invented' as const),
      replica,
      kid: fc.oneof(fc.constantFrom(-1, -2), fc.nat({ max: 50 })),
      times: fc.integer({ min: 1, max: 20 }),
      everyMs: fc.constantFrom(1, 50, 1_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: one('traffic' as const), replica, seconds: fc.nat({ max: 200 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: one('issuer' as const), mode: modes }) },
  { weight: 2, arbitrary: fc.record({ do: one('rotate' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: one('withdraw' as const), key: fc.nat({ max: 11 }) }) },
  { weight: 1, arbitrary: fc.record({ do: one('clock' as const), replica, byMs: clockChange }) },
  { weight: 1, arbitrary: fc.record({ do: one('restart' as const), replica }) },
)

function simulate(story: readonly Step[]): Promise<void> {
  return inSimulatedTime(async time => {
    const world = new KeyWorld(time, 2)
    for (const step of story) await world.run(step)
    await world.recover()
  })
}

t.test(
  'keeps its guarantees through outages, rotations, withdrawals, clock changes and unknown keys',
  async t => {
    await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 40 }), simulate), { seed, numRuns })
    t.pass(`${numRuns} stories`)
  },
)
