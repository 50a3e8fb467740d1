import { sign } from 'node:crypto'
import { pause, type SimulatedTime } from 'test-support/simulated-time'
import { profiles } from '#src/claims/profiles.js'
import { Refusal } from '#src/errors.js'
import { supportedAlgorithms } from '#src/keys/algorithms.js'
import { createKeySet } from '#src/keys/key-set.js'
import { importPublicKey, type PublicKey } from '#src/keys/public-key.js'
import { andThen, type MaybePromise } from '#src/later.js'
import type { Outcome } from '#src/outcome.js'
import { createThreadPool } from '#src/signature/thread-pool.js'
import { createSignatureVerifier } from '#src/signature/verify-signature.js'
import { createTokenCache } from '#src/verify/token-cache.js'
import { chooseAmong } from '#src/verify/choose-issuer.js'
import { createTokenVerifier } from '#src/verify/verify-token.js'
import { base64url, makeKey, type SigningKey } from '../hand-made-issuer.js'

/** How the issuer answers requests for its keys. */
export type IssuerMode = 'up' | 'slow' | 'hangs' | 'unreachable' | 'malformed' | 'no keys'

export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  /** Token 0 is the newest one. */
  | { readonly do: 'present'; readonly replica: number; readonly token: number; readonly times: number }
  /** The newest token, once a second. */
  | { readonly do: 'traffic'; readonly replica: number; readonly seconds: number }
  /** Negative numbers guess the ids of keys that the issuer will list. */
  | {
      readonly do: 'invented'
      readonly replica: number
      readonly kid: number
      readonly times: number
      readonly everyMs: number
    }
  | { readonly do: 'issuer'; readonly mode: IssuerMode }
  | { readonly do: 'issue'; readonly seconds: number }
  | { readonly do: 'rotate' }
  | { readonly do: 'withdraw'; readonly key: number }
  | { readonly do: 'clock'; readonly replica: number; readonly byMs: number }
  | { readonly do: 'restart'; readonly replica: number }

/** What docs/security.md promises, in milliseconds. */
export const bounds = {
  maxAgeMs: 300_000,
  staleIfErrorMs: 3_600_000,
  clockToleranceMs: 5_000,
  cooldownMs: 30_000,
  /** A request is answered, one way or the other: two requests for keys, of five seconds each. */
  answerMs: 10_500,
  /** Between a failed request for keys and the next one. */
  afterFailureMs: 1_000,
  /** Requests for keys of one process within any cooldown, whatever is sent to it. */
  requests: 12,
  /** After the issuer works again, its tokens are accepted: the longest back-off. */
  recoveryMs: 60_000,
  cachedTokens: 20,
} as const

const start = 1_700_000_000_000
const issuer = 'https://issuer.example.com'
const audience = 'https://receipts.example.com'

/** Made once: a run takes them in order. */
const signingKeys: readonly SigningKey[] = Array.from({ length: 12 }, (_, index) =>
  makeKey(`key ${index}`, 'EdDSA'),
)
const publicKeys = signingKeys.map(({ jwk }) => importPublicKey(jwk, supportedAlgorithms))

interface IssuedToken {
  readonly raw: string
  readonly key: number
  /** True time, milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

interface Replica {
  offsetMs: number
  process: Process
}

interface Process {
  readonly verify: (raw: string) => MaybePromise<Outcome>
  readonly cachedTokens: () => number
  readonly log: FetchLog
}

/** The requests for keys of one process, in true time. */
interface FetchLog {
  started: number[]
  /** The keys of the last healthy answer. */
  snapshot: readonly number[] | undefined
  /** When that answer came. */
  fetchedAt: number
  failedSince: boolean
  failedAt: number
  /** The clock was changed since: durations cannot be relied on. */
  clockChanged: boolean
}

/** Replicas of one resource server and their issuer, in simulated time. */
export class KeyWorld {
  readonly #time: SimulatedTime
  readonly #replicas: readonly Replica[]
  readonly #tokens: IssuedToken[] = []
  #mode: IssuerMode = 'up'
  #listed: readonly number[] = [0]
  #newest = 0
  #waiting = 0
  readonly #broken: string[] = []

  constructor(time: SimulatedTime, replicas: number) {
    this.#time = time
    this.#replicas = Array.from({ length: replicas }, () => {
      const replica: Partial<Replica> = { offsetMs: 0 }
      return Object.assign(replica as Replica, { process: this.#start(replica as Replica) })
    })
    this.#issue(3_600)
  }

  /** @throws {Error} saying which promise did not hold */
  async run(step: Step): Promise<void> {
    await this.#do(step)
    this.#throwIfBroken()
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return this.#time.advance(step.ms)
      case 'present': {
        const token = this.#tokens.at(-1 - (step.token % this.#tokens.length)) as IssuedToken
        for (let time = 0; time < step.times; time += 1)
          void this.#present(this.#replica(step.replica), token)
        return this.#time.advance(1)
      }
      case 'traffic': {
        for (let second = 0; second < step.seconds; second += 1) {
          void this.#present(this.#replica(step.replica), this.#tokens.at(-1) as IssuedToken)
          await this.#time.advance(1_000)
        }
        return
      }
      case 'invented': {
        for (let time = 0; time < step.times; time += 1) {
          void this.#presentInvented(this.#replica(step.replica), step.kid + time)
          await this.#time.advance(step.everyMs)
        }
        return
      }
      case 'issuer':
        this.#mode = step.mode
        return
      case 'issue':
        return this.#issue(step.seconds)
      case 'rotate':
        return this.#rotate()
      case 'withdraw':
        this.#listed = this.#listed.filter(
          (key, index) => key === this.#newest || index !== step.key % this.#listed.length,
        )
        return
      case 'clock': {
        const replica = this.#replica(step.replica)
        return setClock(replica, replica.offsetMs + step.byMs)
      }
      case 'restart': {
        const replica = this.#replica(step.replica)
        replica.process = this.#start(replica)
      }
    }
  }

  /** The issuer works again and clocks are right: its tokens must be accepted within the documented time. */
  async recover(): Promise<void> {
    this.#mode = 'up'
    for (const replica of this.#replicas) setClock(replica, 0)
    await this.#time.advance(bounds.answerMs)
    this.#expect(this.#waiting === 0, 'a request was never answered')
    await this.#time.advance(bounds.recoveryMs)
    for (const replica of this.#replicas) {
      this.#issue(3_600)
      const outcome = this.#present(replica, this.#tokens.at(-1) as IssuedToken)
      await this.#time.advance(bounds.answerMs)
      const settled = await outcome
      const reason = settled instanceof Refusal ? settled.reason : 'accepted'
      this.#expect(reason === 'accepted', `a good token is refused after recovery: ${reason}`)
      this.#expect(replica.process.cachedTokens() <= bounds.cachedTokens, 'too many tokens are cached')
    }
    this.#expect(this.#time.pendingTimers === 0, `${this.#time.pendingTimers} timers are left`)
    this.#throwIfBroken()
  }

  #throwIfBroken(): void {
    if (this.#broken[0] !== undefined) throw new Error(this.#broken[0])
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#broken.push(otherwise)
  }

  #replica(index: number): Replica {
    return this.#replicas[index % this.#replicas.length] as Replica
  }

  #clockOf({ offsetMs }: Replica): number {
    return start + this.#time.now + offsetMs
  }

  #rotate(): void {
    if (this.#newest + 1 >= signingKeys.length) return
    this.#newest += 1
    this.#listed = [...this.#listed, this.#newest]
    this.#issue(3_600)
  }

  #issue(seconds: number): void {
    const issuedAt = this.#time.now
    // Whole seconds, as `iat` and `exp` have it.
    const iat = Math.floor((start + issuedAt) / 1000)
    const raw = signToken(signingKeys[this.#newest] as SigningKey, this.#tokens.length, iat, seconds)
    this.#tokens.push({ raw, key: this.#newest, issuedAt, expiresAt: (iat + seconds) * 1000 - start })
  }

  async #present(replica: Replica, token: IssuedToken): Promise<Outcome> {
    const { process } = replica
    const startedAt = this.#time.now
    const presentedAt = this.#clockOf(replica) - start
    const { snapshot, fetchedAt, clockChanged } = process.log
    const isKeyFresh =
      snapshot?.includes(token.key) === true && startedAt - fetchedAt < bounds.maxAgeMs && !clockChanged
    this.#waiting += 1
    const outcome = await process.verify(token.raw)
    this.#waiting -= 1
    const tookMs = this.#time.now - startedAt
    this.#expect(tookMs <= bounds.answerMs, `a request was answered after ${tookMs} ms`)
    this.#expect(!isKeyFresh || tookMs === 0, `a request waited ${tookMs} ms although its key was fresh`)
    if (outcome instanceof Refusal) this.#checkRefusal(replica, outcome, token)
    else this.#checkAccepted(process, token, presentedAt)
    return outcome
  }

  /** @param own when it was presented, by the clock of the replica */
  #checkAccepted({ log }: Process, { key, expiresAt, issuedAt }: IssuedToken, own: number): void {
    this.#expect(own < expiresAt + bounds.clockToleranceMs, 'an expired token was accepted')
    this.#expect(own >= issuedAt - 1_000 - bounds.clockToleranceMs, 'a token from the future was accepted')
    this.#expect(log.snapshot?.includes(key) === true, 'a token of a withdrawn key was accepted')
    const ageMs = this.#time.now - log.fetchedAt
    const boundMs = bounds.maxAgeMs + (log.failedSince ? bounds.staleIfErrorMs : 0)
    this.#expect(ageMs < boundMs || log.clockChanged, `a key was used ${ageMs} ms after it was last listed`)
  }

  /** A token that its issuer signed with a key it lists is good, or nobody can tell. */
  #checkRefusal({ offsetMs }: Replica, { reason }: Refusal, { key }: IssuedToken): void {
    if (['expired', 'not_yet_valid', 'unavailable'].includes(reason)) return
    // Whether a token was issued before the keys were fetched can be told by a right clock only.
    if (reason === 'unknown_key' && Math.abs(offsetMs) > bounds.clockToleranceMs) return
    this.#expect(
      reason === 'unknown_key' && !this.#listed.includes(key),
      `a good token was refused: ${reason}`,
    )
  }

  async #presentInvented(replica: Replica, number: number): Promise<void> {
    const kid = number < 0 ? `key ${this.#newest - number}` : `invented ${number}`
    const iat = Math.floor(this.#clockOf(replica) / 1000)
    const outcome = await replica.process.verify(`${unsignedToken(kid, iat)}.AAAA`)
    this.#expect(
      outcome instanceof Refusal && ['unknown_key', 'unavailable', 'signature'].includes(outcome.reason),
      'an unsigned token was accepted',
    )
  }

  #start(replica: Replica): Process {
    const now = (): number => this.#clockOf(replica)
    const log: FetchLog = {
      started: [],
      snapshot: undefined,
      fetchedAt: -Infinity,
      failedSince: false,
      failedAt: -Infinity,
      clockChanged: false,
    }
    const keys = createKeySet(
      () => this.#fetchKeys(log),
      {
        maxAgeMs: bounds.maxAgeMs,
        keepMs: bounds.maxAgeMs + bounds.staleIfErrorMs,
        cooldownMs: bounds.cooldownMs,
      },
      now,
      () => {},
    )
    const rules = {
      issuer,
      profile: profiles.rfc9068,
      audiences: [audience],
      types: profiles.rfc9068.types,
      required: [['exp'], ['aud']],
      clockToleranceMs: bounds.clockToleranceMs,
      maxTokenAgeMs: Infinity,
    }
    const verifySignature = createSignatureVerifier({
      threadPool: createThreadPool(false),
      loadSecond: async () => () => true,
      onDisputed() {},
    })
    const tokens = createTokenVerifier(
      chooseAmong([{ rules, algorithms: supportedAlgorithms, keys, verifySignature }]),
      {
        checkCustomClaims: () => undefined,
        introspect: undefined,
        now,
      },
    )
    const cache = createTokenCache(bounds.cachedTokens, now)
    const verify = (raw: string): MaybePromise<Outcome> => {
      const header = `Bearer ${raw}`
      return (
        cache.get(header) ??
        andThen(tokens.verify(raw), verification => {
          cache.set(header, verification)
          return verification.outcome
        })
      )
    }
    return { verify, cachedTokens: () => cache.size, log }
  }

  async #fetchKeys(log: FetchLog): Promise<readonly PublicKey[]> {
    this.#checkRequest(log)
    log.started.push(this.#time.now)
    const [mode, listed] = [this.#mode, this.#listed]
    if (mode !== 'unreachable') await pause(mode === 'hangs' ? 5_000 : mode === 'slow' ? 3_000 : 20)
    if (mode !== 'up' && mode !== 'slow') {
      Object.assign(log, { failedSince: true, failedAt: this.#time.now })
      throw new Error(mode)
    }
    Object.assign(log, {
      snapshot: listed,
      fetchedAt: this.#time.now,
      failedSince: false,
      clockChanged: false,
    })
    return listed.map(index => publicKeys[index] as PublicKey)
  }

  #checkRequest(log: FetchLog): void {
    if (log.clockChanged) return
    const now = this.#time.now
    const sinceFailureMs = now - log.failedAt
    this.#expect(
      sinceFailureMs >= bounds.afterFailureMs,
      `keys were requested ${sinceFailureMs} ms after a failure`,
    )
    const recent = log.started.filter(time => now - time < bounds.cooldownMs)
    this.#expect(
      recent.length < bounds.requests,
      `${recent.length + 1} requests for keys within the cooldown`,
    )
  }
}

function setClock(replica: Replica, offsetMs: number): void {
  replica.offsetMs = offsetMs
  replica.process.log.clockChanged = true
}

function signToken(key: SigningKey, jti: number, iat: number, seconds: number): string {
  const input = unsignedToken(key.kid as string, iat, seconds, jti)
  return `${input}.${base64url(sign(null, Buffer.from(input), key.privateKey))}`
}

function unsignedToken(kid: string, iat: number, seconds: number = 300, jti: number = 0): string {
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid }
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'shop',
    client_id: 'shop',
    jti: String(jti),
    iat,
    exp: iat + seconds,
  }
  return `${base64url(header)}.${base64url(claims)}`
}
