import fc from 'fast-check'
import t from 'tap'
import { SimulatedTime } from 'test-support/simulated-time'
import { RevocationWorld, type Step } from './revocation-world.js'

/** Bad minutes: two replicas and the store that they share. `SIMULATION_RUNS=100000 SIMULATION_SEED=7` runs more. */
const numRuns = Number(process.env['SIMULATION_RUNS'] ?? 1_000)
const seed = Number(process.env['SIMULATION_SEED'] ?? 1)

const replica = fc.nat({ max: 1 })
const subject = fc.nat({ max: 2 })
const one = <T>(value: T): fc.Arbitrary<T> => fc.constant(value)
const ms = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 600 }), fc.nat({ max: 3_000 }))
const modes = fc.constantFrom('up', 'up', 'hangs', 'throws')

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: one('present' as const), replica, subject }) },
  { weight: 6, arbitrary: fc.record({ do: one('wait' as const), ms }) },
  { weight: 3, arbitrary: fc.record({ do: one('revoke' as const), replica, subject }) },
  { weight: 2, arbitrary: fc.record({ do: one('unrevoke' as const), replica, subject }) },
  { weight: 3, arbitrary: fc.record({ do: one('store' as const), mode: modes }) },
  { weight: 1, arbitrary: fc.record({ do: one('announcements' as const), arrive: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: one('restart' as const), replica }) },
)

async function simulate(story: readonly Step[]): Promise<void> {
  const time = new SimulatedTime()
  try {
    const world = new RevocationWorld(time)
    for (const step of story) await world.run(step)
    await world.recover()
  } finally {
    time.restore()
  }
}

t.test('shares every revocation with every replica in time', async t => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 30 }), simulate), { seed, numRuns })
  t.pass(`${numRuns} stories`)
})
