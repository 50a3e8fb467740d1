import fc from 'fast-check'
import t from 'tap'
import { settle } from 'test-support/faults'
import { Refusal } from '#src/errors.js'
import { createResolvedIssuers } from '#src/issuers/resolved-issuers.js'
import type { TrustedIssuer } from '#src/verify/candidate.js'

/**
 * Two tenants whose options come, change and go, and a function `issuers` that fails now and then. After each step, every
 * promise about issuers that are looked up must hold. `SIMULATION_RUNS=100000 SIMULATION_SEED=7` runs more.
 */
const numRuns = Number(process.env['SIMULATION_RUNS'] ?? 1_000)
const seed = Number(process.env['SIMULATION_SEED'] ?? 1)

const times = { maxAgeMs: 300_000, keepMs: 3_900_000, cooldownMs: 30_000 }
const longestBackOffMs = 60_000
const tenants = ['https://first.example.com', 'https://second.example.com'] as const

/** What the function returns for a tenant: options with this number, undefined, or a rejection. */
type Answer = number | 'unknown' | 'fails'
type Step =
  | { readonly do: 'token' | 'cached'; readonly tenant: 0 | 1 }
  | { readonly do: 'answer'; readonly tenant: 0 | 1; readonly answer: Answer }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'clock'; readonly byMs: number }

const tenant = fc.constantFrom(0 as const, 1 as const)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('token' as const, 'cached' as const), tenant }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      tenant,
      answer: fc.constantFrom<Answer[]>(1, 2, 'unknown', 'fails'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.nat({ max: 2_000 }),
        fc.nat({ max: 70_000 }),
        fc.integer({ min: 230_000, max: 310_000 }),
        fc.nat({ max: 4_000_000 }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock' as const), byMs: fc.integer({ min: -400_000, max: -1 }) }),
  },
)

interface LookUp {
  readonly name: string
  readonly at: number
  readonly answer: Answer
}

async function simulate(story: readonly Step[]): Promise<void> {
  let now = 1_800_000_000_000
  const answers = new Map<string, Answer>()
  const cached = new Map<string, TrustedIssuer>()
  const lookUps: LookUp[] = []
  const resolved = createResolvedIssuers({
    async resolve(name) {
      const answer = answers.get(name) ?? 'unknown'
      lookUps.push({ name, at: now, answer })
      if (answer === 'fails') throw new Error('the database is away')
      if (answer === 'unknown') return new Refusal('issuer')
      return { rules: { issuer: name }, jwksUri: String(answer) } as never
    },
    trust: settings =>
      ({ ...settings, keys: { reuse: () => true }, verifySignature: () => undefined }) as never,
    timeoutMs: 1_000,
    times,
    allowInsecureHttp: false,
    now: () => now,
    onEvent() {},
  })

  /** A token arrives, whose issuer may be known from its cached result. */
  async function present(name: string, useCache: boolean): Promise<void> {
    const issuer = useCache ? cached.get(name) : undefined
    const before = [...lookUps]
    if (issuer?.keys.reuse({} as never, now) === true) return mustBeTrusted(name, issuer, before)
    const choosing = resolved.choose({ iss: name }, 'verify')
    const chosen = await choosing
    if (chosen instanceof Refusal) return
    chosen.verifySignature({} as never, {} as never, 'ES256')
    cached.set(name, chosen)
    // A renewal that began in the background does not count yet; an answer that was waited for does.
    mustBeTrusted(name, chosen, choosing instanceof Promise ? lookUps : before)
  }

  /** An accepted token needs an answer that says so, which is recent, or followed by failures only. */
  function mustBeTrusted(name: string, issuer: TrustedIssuer, known: readonly LookUp[]): void {
    const own = known.filter(lookUp => lookUp.name === name)
    const answered = own.findLast(({ answer }) => answer !== 'fails')
    if (answered === undefined) throw new Error('accepted without an answer')
    const age = now - answered.at
    const hasFailed = own.at(-1)?.answer === 'fails'
    if (String(answered.answer) !== (issuer as unknown as { jwksUri: string }).jwksUri)
      throw new Error('accepted by options that were replaced')
    if (age < 0 || age >= (hasFailed ? times.keepMs : times.maxAgeMs))
      throw new Error(`accepted ${age} ms after the answer`)
  }

  /** The function is not called again too soon, unless the clock was set back. */
  function mustBeSparing(): void {
    for (const name of tenants) {
      const [before, last] = lookUps.filter(lookUp => lookUp.name === name).slice(-2)
      if (before === undefined || last === undefined || last.at < before.at) continue
      const pauseMs =
        before.answer === 'fails' ? 1_000 : before.answer === 'unknown' ? times.cooldownMs : 240_000
      if (last.at - before.at < pauseMs) throw new Error(`called again after ${last.at - before.at} ms`)
    }
  }

  async function take(step: Step): Promise<void> {
    if (step.do === 'answer') answers.set(tenants[step.tenant], step.answer)
    else if (step.do === 'wait') now += step.ms
    else if (step.do === 'clock') now += step.byMs
    else {
      await present(tenants[step.tenant], step.do === 'cached')
      await settle()
      mustBeSparing()
    }
  }

  let latest = now
  for (const step of story) {
    await take(step)
    latest = Math.max(latest, now)
  }
  now = latest + Math.max(longestBackOffMs, times.cooldownMs)
  for (const [index, name] of tenants.entries()) {
    answers.set(name, index + 1)
    if ((await resolved.choose({ iss: name }, 'verify')) instanceof Refusal)
      throw new Error('it does not recover')
  }
}

t.test('issuers that are looked up keep their promises', async () => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), simulate), {
    numRuns,
    seed,
  })
})
