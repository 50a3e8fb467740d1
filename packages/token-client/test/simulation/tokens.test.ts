import fc from 'fast-check'
import t from 'tap'
import { inSimulatedTime } from 'test-support/simulated-time'
import { TokenWorld, type Step } from './token-world.js'

/**
 * A year of bad days: three replicas with a shared store, in simulated time. After each step, everything that
 * docs/security.md promises must hold. `SIMULATION_RUNS=100000 SIMULATION_SEED=7` runs more, with another seed.
 */
const numRuns = Number(process.env['SIMULATION_RUNS'] ?? 1_000)
const seed = Number(process.env['SIMULATION_SEED'] ?? 1)

const replica = fc.nat({ max: 2 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      replica,
      times: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.nat({ max: 100 }),
        fc.nat({ max: 12_000 }),
        fc.nat({ max: 300_000 }),
        fc.nat({ max: 7_200_000 }),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('server' as const),
      mode: fc.constantFrom(
        'up',
        'up',
        'slow',
        'hangs',
        'unreachable',
        'busy',
        'rejects',
        'answer lost',
        'malformed',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      mode: fc.constantFrom('up', 'up', 'slow', 'hangs', 'fails', 'throws', 'garbage'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('api' as const), refusesAll: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('empty store' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lifetime' as const),
      seconds: fc.constantFrom(1, 20, 60, 300, 3_600, 86_400),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('clock' as const),
      replica,
      byMs: fc.oneof(
        fc.integer({ min: -5_000, max: 5_000 }),
        fc.integer({ min: -7_200_000, max: 7_200_000 }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), replica }) },
) as fc.Arbitrary<Step>

function simulate(story: readonly Step[], luck: number): Promise<void> {
  return inSimulatedTime(async time => {
    const world = new TokenWorld(time, () => luck, 3)
    for (const step of story) await world.run(step)
    await world.recover()
  })
}

t.test(
  'keeps its guarantees during outages, clock changes, restarts, revocations and store failures',
  async t => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        simulate,
      ),
      { seed, numRuns, verbose: fc.VerbosityLevel.None },
    )
    t.pass(`${numRuns} stories`)
  },
)
