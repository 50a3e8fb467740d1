import fc from 'fast-check'
import t from 'tap'
import { createReplayMemory } from '#src/binding/replay-store.js'
import { createUsedProofs } from '#src/binding/used-proofs.js'

const ttlMs = 180_000
const start = 1_800_000_000_000

t.test('keeps an id for its time, and discards it later', async t => {
  let now = start
  const memory = createReplayMemory(() => now)
  t.equal(memory.add('first', ttlMs, 'a'), true)
  now += ttlMs - 1
  t.equal(memory.add('first', ttlMs, 'a'), false)
  t.equal(memory.add('second', ttlMs, 'a'), true)
  now += ttlMs - 1
  t.equal(memory.add('second', ttlMs, 'a'), false, 'although its generation was nearly over')
  now += ttlMs
  t.equal(memory.add('first', ttlMs, 'a'), true)
  now += ttlMs
  t.equal(memory.add('second', ttlMs, 'a'), true)
})

t.test('neither loses ids nor keeps them for hours if the clock is set back by hours', async t => {
  let now = start
  const memory = createReplayMemory(() => now)
  memory.add('before', ttlMs, 'a')
  now -= 10_800_000
  t.equal(memory.add('before', ttlMs, 'a'), false)
  t.equal(memory.add('after', ttlMs, 'a'), true)
  now += ttlMs
  t.equal(memory.add('after', ttlMs, 'a'), false)
  now += ttlMs
  t.equal(memory.add('later', ttlMs, 'a'), true)
  t.equal(memory.add('after', ttlMs, 'a'), true)
})

t.test('does not lose ids if the clock jumps ahead by hours and back', async t => {
  let now = start
  const memory = createReplayMemory(() => now)
  memory.add('before', ttlMs, 'a')
  now += 10_800_000
  t.equal(memory.add('meanwhile', ttlMs, 'a'), true)
  now -= 10_800_000
  t.equal(memory.add('before', ttlMs, 'a'), false)
  now += ttlMs - 1
  t.equal(memory.add('before', ttlMs, 'a'), false)
})

const maxProofAgeMs = 60_000

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  /** To this much behind the highest reading of the clock. */
  | { readonly do: 'set back'; readonly behindMs: number }
  | { readonly do: 'new proof'; readonly iatMs: number }
  | { readonly do: 'replay'; readonly which: number }

/** Times at the edges of windows and generations are the ones that matter. */
const time = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.nat(max), fc.constantFrom(0, 1, maxProofAgeMs - 1, maxProofAgeMs))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: time(90_000).map(ms => ({ do: 'wait', ms }) as const) },
  { weight: 1, arbitrary: fc.nat(86_400_000).map(ms => ({ do: 'wait', ms }) as const) },
  { weight: 2, arbitrary: time(maxProofAgeMs).map(behindMs => ({ do: 'set back', behindMs }) as const) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(time(maxProofAgeMs), fc.constantFrom(-1, 1))
      .map(([ms, sign]) => ({ do: 'new proof', iatMs: sign * ms }) as const),
  },
  { weight: 5, arbitrary: fc.nat(50).map(which => ({ do: 'replay', which }) as const) },
)

type Use = (jti: string) => 'new' | 'replay'

/** A store of used proofs in memory, as an application has it. */
async function usedProofs(now: () => number): Promise<Use> {
  const settings = { replayStore: createReplayMemory(now), maxProofAgeMs }
  const { verifyStore, refuseReplay } = createUsedProofs(settings, { warn: () => {} } as never)
  if ((await verifyStore()) !== undefined) throw new Error('the memory does not work')
  return jti => (refuseReplay({ thumbprint: 'client', jti }) === undefined ? 'new' : 'replay')
}

t.test('accepts a proof once, even at the end of a generation and with a clock that is set back', async t => {
  for (const generationMs of [1, 2, 3, 4].map(windows => windows * maxProofAgeMs)) {
    let now = start
    const use = await usedProofs(() => now)
    now += generationMs - 1
    t.equal(use('made ahead'), 'new')
    const validUntil = now + 2 * maxProofAgeMs
    now += 1
    use('first of the second generation')
    now += generationMs
    use('first of the third generation')
    now -= maxProofAgeMs
    t.ok(now > validUntil || use('made ahead') === 'replay', `generations of ${generationMs} ms`)
  }
})

t.test("accepts each proof once while the clock goes back by at most the proof's window", async t => {
  let replays = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      let [now, highest] = [start, start]
      const use = await usedProofs(() => now)
      const used: { readonly jti: string; readonly iat: number }[] = []
      for (const next of steps) {
        if (next.do === 'wait') now += next.ms
        if (next.do === 'set back') now = Math.min(now, highest - next.behindMs)
        highest = Math.max(highest, now)
        if (next.do === 'new proof') {
          const proof = { jti: `proof-${used.length}`, iat: now + next.iatMs }
          used.push(proof)
          if (use(proof.jti) !== 'new') return false
        }
        const proof = next.do === 'replay' ? used[next.which % (used.length || 1)] : undefined
        if (proof === undefined || Math.abs(now - proof.iat) > maxProofAgeMs) continue
        replays += 1
        if (use(proof.jti) !== 'replay') return false
      }
      return true
    }),
    { seed: 20_261_129, numRuns: 3_000 },
  )
  t.ok(replays > 5_000, `${replays} replays within their window`)
})

t.test('does not let one client use up the space of others', async t => {
  let now = start
  const memory = createReplayMemory(() => now, 120)
  let added = 0
  const fill = (client: string): number => {
    let count = 0
    try {
      for (;;) {
        memory.add(`id-${(added += 1)}`, ttlMs, client)
        count += 1
      }
    } catch {
      return count
    }
  }
  t.equal(fill('greedy'), 60, 'half of the room')
  t.equal(fill('greedy'), 0)
  t.equal(memory.add('an honest one', ttlMs, 'honest'), true)
  t.equal(fill('second'), 30)
  t.equal(fill('third'), 15)
  t.equal(memory.add('another honest one', ttlMs, 'honest'), true)
  t.throws(() => memory.add('more', ttlMs, 'greedy'), /the client has used 60 DPoP proofs within 180000 ms/)
  t.equal(memory.add('an honest one', ttlMs, 'greedy'), false, 'a replay is known all the same')
  now += ttlMs
  t.equal(fill('greedy'), 60, 'the next generation has room again')
})
