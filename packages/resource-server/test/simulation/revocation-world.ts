import type { AccessToken } from '#src/access-token.js'
import { createRevocations, type Revocations } from '#src/revocation/revocations.js'
import type { SimulatedTime } from 'test-support/simulated-time'
import { FakeStore } from '../revocation-replicas.js'

export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'present'; readonly replica: number; readonly subject: number }
  | { readonly do: 'revoke'; readonly replica: number; readonly subject: number }
  | { readonly do: 'unrevoke'; readonly replica: number; readonly subject: number }
  | { readonly do: 'store'; readonly mode: FakeStore['mode'] }
  | { readonly do: 'announcements'; readonly arrive: boolean }
  /** The store loses its values. */
  | { readonly do: 'lose' }
  | { readonly do: 'restart'; readonly replica: number }

/** What docs/security.md promises, in milliseconds. */
export const bounds = {
  /** After `revoke` or `unrevoke` has resolved, every replica acts on it. */
  revokedMs: 1_000,
  /** After the store works again, no token is refused because of it. */
  storeRecoveryMs: 1_000,
} as const

const start = 1_800_000_000_000
const issuer = 'https://login.example.com'
const subjects = 3
const ignore = (): void => {}

interface Replica {
  readonly whileUnavailable: 'accept' | 'refuse'
  revocations: Revocations
  /** It takes requests. */
  isStarted: boolean
  /** Subjects that were refused as revoked by this process: it must not forget them. */
  readonly refused: Set<number>
}

/** What is known of a subject: undefined while a call is under way, or after one that failed. */
interface Known {
  isRevoked: boolean | undefined
  since: number
  calls: number
  wasEverRevoked: boolean
}

/** Replicas that share a store, in simulated time. The first one refuses tokens while the store is away. */
export class RevocationWorld {
  readonly #time: SimulatedTime
  readonly #store = new FakeStore()
  readonly #replicas: readonly Replica[]
  readonly #known: readonly Known[]
  #storeUpSince = 0
  readonly #broken: string[] = []

  constructor(time: SimulatedTime) {
    this.#time = time
    this.#store.pageSize = 2
    this.#known = Array.from({ length: subjects }, () => ({
      isRevoked: false,
      since: 0,
      calls: 0,
      wasEverRevoked: false,
    }))
    this.#replicas = (['refuse', 'accept'] as const).map(whileUnavailable => {
      const replica = { whileUnavailable, isStarted: false, refused: new Set() } as unknown as Replica
      this.#start(replica)
      return replica
    })
  }

  /** @throws {Error} saying which promise did not hold */
  async run(step: Step): Promise<void> {
    await this.#do(step)
    if (this.#broken[0] !== undefined) throw new Error(this.#broken[0])
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return this.#time.advance(step.ms)
      case 'present':
        return this.#present(this.#replica(step.replica), step.subject)
      case 'revoke':
      case 'unrevoke':
        void this.#call(this.#replica(step.replica), step.subject, step.do)
        return this.#time.advance(1)
      case 'store':
        if (step.mode === 'up' && this.#store.mode !== 'up') this.#storeUpSince = this.#time.now
        this.#store.mode = step.mode
        return
      case 'announcements':
        this.#store.announces = step.arrive
        return
      case 'lose':
        this.#store.lose()
        // What no process knew is lost, and what one of them knew is put back.
        for (const known of this.#known) if (known.wasEverRevoked) known.isRevoked = undefined
        return
      case 'restart': {
        const replica = this.#replica(step.replica)
        replica.revocations.close()
        this.#start(replica)
        return this.#time.advance(1)
      }
    }
  }

  /** Everything works again: all replicas agree, and nothing is left when they are closed. */
  async recover(): Promise<void> {
    await this.run({ do: 'store', mode: 'up' })
    await this.#time.advance(2_000)
    for (let subject = 0; subject < subjects; subject += 1)
      for (const replica of [0, 1]) await this.run({ do: 'present', replica, subject })
    for (const { revocations } of this.#replicas) revocations.close()
    await this.#time.advance(2_000)
    if (this.#time.pendingTimers > 0) throw new Error(`${this.#time.pendingTimers} timers are left`)
  }

  #replica(index: number): Replica {
    return this.#replicas[index % this.#replicas.length] as Replica
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#broken.push(otherwise)
  }

  #start(replica: Replica): void {
    const { whileUnavailable } = replica
    const maxEntries = 100
    const revocations = createRevocations(
      { maxEntries, sharing: { store: this.#store, whileUnavailable, maxEntries } },
      {
        isTrusted: name => name === issuer,
        onlyIssuer: issuer,
        now: () => start + this.#time.now,
        clockToleranceMs: 5_000,
        log: { info: ignore, warn: ignore, error: ignore },
      },
    )
    replica.refused.clear()
    Object.assign(replica, { revocations, isStarted: false })
    void revocations.start().then(() => {
      if (replica.revocations === revocations) replica.isStarted = true
    })
  }

  async #call(
    { revocations, refused }: Replica,
    subject: number,
    name: 'revoke' | 'unrevoke',
  ): Promise<void> {
    const known = this.#known[subject] as Known
    known.calls += 1
    const { calls } = known
    known.isRevoked = undefined
    const target = { subject: String(subject) }
    let isRevoked: boolean | undefined
    try {
      if (name === 'revoke') {
        known.wasEverRevoked = true
        const done = revocations.revoke(target, { until: start + 86_400_000 })
        refused.add(subject) // at once, whether the store has it or not
        await done
        isRevoked = true
      } else {
        for (const replica of this.#replicas) replica.refused.delete(subject)
        // `false`: this replica knew of no revocation; another one may, for as long as a second.
        isRevoked = (await revocations.unrevoke(target)) ? false : undefined
      }
    } catch {
      isRevoked = undefined
    }
    if (name === 'unrevoke') for (const replica of this.#replicas) replica.refused.delete(subject)
    if (known.calls === calls) Object.assign(known, { isRevoked, since: this.#time.now })
  }

  #present({ revocations, isStarted, refused, whileUnavailable }: Replica, subject: number): void {
    if (!isStarted) return
    const sub = String(subject)
    const token = { issuer, subject: sub, clientId: null, claims: { sub } } as unknown as AccessToken
    const reason = revocations.refusalOf(token)?.reason
    const known = this.#known[subject] as Known
    const outcome = reason ?? 'accepted'
    this.#expect(this.#mayBe(known, whileUnavailable)[outcome] === true, `${outcome}, which must not be`)
    if (reason === 'revoked' && known.isRevoked === true) refused.add(subject)
    this.#expect(!refused.has(subject) || reason === 'revoked', 'a process forgot a revocation')
  }

  /** Which outcomes the promises allow for a token now. */
  #mayBe(known: Known, whileUnavailable: Replica['whileUnavailable']): Record<string, boolean> {
    const { isRevoked, since, wasEverRevoked } = known
    const now = this.#time.now
    const hasRecovered = this.#store.mode === 'up' && now > this.#storeUpSince + bounds.storeRecoveryMs
    const isDue = now > since + bounds.revokedMs
    const mayAccept = !isDue || (whileUnavailable === 'accept' && !hasRecovered)
    return {
      accepted: isRevoked !== true || mayAccept,
      revoked: wasEverRevoked && (isRevoked !== false || !isDue || !hasRecovered),
      unavailable: whileUnavailable === 'refuse' && !hasRecovered,
    }
  }
}
