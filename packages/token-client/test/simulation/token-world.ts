import { pause, type SimulatedTime } from 'test-support/simulated-time'
import type { AskForToken, TokenAnswer } from '#src/acquire/ask-for-token.js'
import { TokenRequestFailure } from '#src/acquire/token-request-failure.js'
import { createTokenCache, type TokenCache } from '#src/acquire/token-cache.js'
import { noSeal } from '#src/share/seal.js'
import { shareTokens } from '#src/share/share-tokens.js'
import type { TokenStore } from '#src/share/token-store.js'
import { schedule, type Token } from '#src/token.js'

/** How the authorization server treats token requests. */
export type ServerMode =
  | 'up'
  | 'slow'
  | 'hangs'
  | 'unreachable'
  | 'busy'
  | 'rejects'
  | 'answer lost'
  | 'malformed'

/** How the shared store treats operations. */
export type StoreMode = 'up' | 'slow' | 'hangs' | 'fails' | 'throws' | 'garbage'

export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'call'; readonly replica: number; readonly times: number }
  | { readonly do: 'server'; readonly mode: ServerMode }
  | { readonly do: 'store'; readonly mode: StoreMode }
  | { readonly do: 'empty store' }
  | { readonly do: 'lifetime'; readonly seconds: number }
  | { readonly do: 'revoke' }
  /** The API answers 401 to every token, or only to revoked and expired ones. */
  | { readonly do: 'api'; readonly refusesAll: boolean }
  | { readonly do: 'clock'; readonly replica: number; readonly byMs: number }
  | { readonly do: 'restart'; readonly replica: number }

/** What docs/security.md promises, in milliseconds. */
export const bounds = {
  /** A call gets its token, or the reason why there is none. */
  callMs: 12_000,
  /** Between a failed token request and the next one of the same process. */
  afterFailureMs: 500,
  /** After the server works again, a call succeeds: the longest back-off, and the longest `Retry-After` obeyed. */
  recoveryMs: 300_000,
  /** Between two token requests that the API caused by refusing tokens it never accepted. */
  afterRefusalMs: 10_000,
  /** Part of a token's lifetime before which it is not renewed. */
  renewalAfter: 0.5,
} as const

const timeoutMs = 5_000
const storeTimeoutMs = 250
const start = 1_700_000_000_000

interface IssuedToken {
  /** In true time. */
  readonly expiresAt: number
  revoked: boolean
  accepted: boolean
}

interface LastRequest {
  endedAt: number
  failed: boolean
  /** Own clock; the next request without a reason comes not before. */
  notBefore: number
}

/** One machine, with a clock of its own. */
interface Replica {
  offsetMs: number
  process: Process
}

/** From one restart to the next. */
interface Process {
  readonly source: TokenCache
  readonly requests: Requests
}

interface Requests {
  inFlight: number
  last: LastRequest | undefined
  /** A 401 or a clock change is a reason for another request at any time. */
  mayAskAgain: boolean
  /** Own clock, when a token that was never accepted was last replaced after a 401. */
  replacedAt: number
}

/** Replicas of one client, the store they share, the authorization server and the API, in simulated time. */
export class TokenWorld {
  readonly #time: SimulatedTime
  readonly #random: () => number
  readonly #replicas: readonly Replica[]
  readonly #issued = new Map<string, IssuedToken>()
  readonly #stored = new Map<string, { readonly value: string; readonly until: number }>()
  #server: ServerMode = 'up'
  #store: StoreMode = 'up'
  #apiRefusesAll = false
  #lifetimeSeconds = 300
  /** By how much the clocks of two replicas ever differed: so much longer a token can be believed to last. */
  #skewMs = 0
  #lowestOffset = 0
  #highestOffset = 0
  #calls = 0
  readonly #broken: string[] = []

  constructor(time: SimulatedTime, random: () => number, replicas: number) {
    this.#time = time
    this.#random = random
    this.#replicas = Array.from({ length: replicas }, () => {
      const replica: Partial<Replica> = { offsetMs: 0 }
      return Object.assign(replica as Replica, { process: this.#start(replica as Replica) })
    })
  }

  /** @throws {Error} saying which promise did not hold */
  async run(step: Step): Promise<void> {
    await this.#do(step)
    this.#throwIfBroken()
  }

  #throwIfBroken(): void {
    if (this.#broken[0] !== undefined) throw new Error(this.#broken[0])
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return this.#time.advance(step.ms)
      case 'call':
        for (let call = 0; call < step.times; call += 1) void this.#call(this.#replica(step.replica))
        return this.#time.advance(1)
      case 'server':
        this.#server = step.mode
        return
      case 'store':
        this.#store = step.mode
        return
      case 'empty store':
        return this.#stored.clear()
      case 'lifetime':
        this.#lifetimeSeconds = step.seconds
        return
      case 'revoke':
        for (const token of this.#issued.values()) token.revoked = true
        return
      case 'api':
        this.#apiRefusesAll = step.refusesAll
        return
      case 'clock':
        return this.#setClock(this.#replica(step.replica), step.byMs)
      case 'restart': {
        const replica = this.#replica(step.replica)
        replica.process = this.#start(replica)
      }
    }
  }

  /** The server and the store work again: every replica must recover within the documented time. */
  async recover(): Promise<void> {
    this.#server = 'up'
    this.#store = 'up'
    this.#apiRefusesAll = false
    await this.#time.advance(bounds.callMs)
    this.#expect(this.#calls === 0, 'a call never ended')
    await this.#time.advance(bounds.recoveryMs)
    for (const replica of this.#replicas) {
      // Another replica's revoked token can be taken over from the store, and is refused once more.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        void this.#call(replica)
        await this.#time.advance(bounds.callMs)
      }
      const last = this.#attempt(replica)
      await this.#time.advance(bounds.callMs)
      const outcome = await last
      this.#expect(outcome === 'accepted', `a replica did not recover: ${outcome}`)
    }
    this.#expect(this.#time.pendingTimers === 0, `${this.#time.pendingTimers} timers are left`)
    this.#expect(this.#stored.size <= 2, 'the store holds more than a token and a lock')
    this.#throwIfBroken()
  }

  /** Noted and not thrown: the client would take it for a fault of the store or the server. */
  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#broken.push(otherwise)
  }

  #replica(index: number): Replica {
    return this.#replicas[index % this.#replicas.length] as Replica
  }

  #clockOf({ offsetMs }: Replica): number {
    return start + this.#time.now + offsetMs
  }

  #setClock(replica: Replica, byMs: number): void {
    replica.offsetMs += byMs
    Object.assign(replica.process.requests, { mayAskAgain: true, replacedAt: -Infinity })
    this.#lowestOffset = Math.min(this.#lowestOffset, replica.offsetMs)
    this.#highestOffset = Math.max(this.#highestOffset, replica.offsetMs)
    this.#skewMs = this.#highestOffset - this.#lowestOffset
  }

  /** A call, with its bound. */
  async #call(replica: Replica): Promise<void> {
    const startedAt = this.#time.now
    this.#calls += 1
    await this.#attempt(replica)
    this.#calls -= 1
    const tookMs = this.#time.now - startedAt
    // Sent at most twice.
    this.#expect(tookMs <= 2 * bounds.callMs, `a call took ${tookMs} ms`)
  }

  /** Sends a token to the API, and another one after a 401. */
  async #attempt(replica: Replica): Promise<'accepted' | 'refused' | 'no token'> {
    const { source, requests } = replica.process
    const first = await this.#tokenFor(replica, source)
    if (first === undefined) return 'no token'
    if (this.#apiAccepts(first)) return accepted(source, first)
    const wasCached = source.peekToken() === first
    if (!source.invalidate(first)) return 'refused'
    requests.mayAskAgain = true
    if (wasCached && this.#issued.get(first.accessToken)?.accepted === false)
      this.#checkReplacement(replica, requests)
    const second = await this.#tokenFor(replica, source)
    if (second === undefined || second.accessToken === first.accessToken) return 'refused'
    return this.#apiAccepts(second) ? accepted(source, second) : 'refused'
  }

  async #tokenFor(replica: Replica, source: TokenCache): Promise<Token | undefined> {
    const cached = source.peekToken()
    const isUsable = cached !== undefined && this.#clockOf(replica) < cached.useUntil
    const startedAt = this.#time.now
    const given = source.getToken()
    this.#expect(!isUsable || !(given instanceof Promise), 'a call waited although a usable token was cached')
    try {
      const token = await given
      const waitedMs = this.#time.now - startedAt
      this.#expect(waitedMs <= bounds.callMs, `a call waited ${waitedMs} ms for its token`)
      this.#checkSent(replica, token, token === cached)
      return token
    } catch (error) {
      const { code = '' } = error as { code?: string }
      this.#expect(code.startsWith('TOKEN_CLIENT_'), `an untyped error: ${String(error)}`)
      return undefined
    }
  }

  #checkSent(replica: Replica, { accessToken, expiresAt }: Token, wasCached: boolean): void {
    // A lifetime counts from the request, so a token of a slow server can arrive expired: only the API can tell.
    if (wasCached)
      this.#expect(this.#clockOf(replica) < expiresAt, 'a token was sent that is expired by the own clock')
    const lateMs = this.#time.now - (this.#issued.get(accessToken)?.expiresAt ?? -Infinity)
    this.#expect(lateMs < this.#skewMs || lateMs < 0, `a token was sent ${lateMs} ms after it expired`)
  }

  #apiAccepts({ accessToken }: Token): boolean {
    const issued = this.#issued.get(accessToken)
    if (issued === undefined || this.#apiRefusesAll || issued.revoked) return false
    if (this.#time.now >= issued.expiresAt) return false
    issued.accepted = true
    return true
  }

  #checkReplacement(replica: Replica, requests: Requests): void {
    const now = this.#clockOf(replica)
    const sinceMs = now - requests.replacedAt
    this.#expect(sinceMs >= bounds.afterRefusalMs, `two refused tokens were replaced within ${sinceMs} ms`)
    requests.replacedAt = now
  }

  #start(replica: Replica): Process {
    const requests: Requests = { inFlight: 0, last: undefined, mayAskAgain: true, replacedAt: -Infinity }
    const lifetimes = { renewAfter: 0.8, skewMs: 30_000 }
    const now = (): number => this.#clockOf(replica)
    const timesOf = ({ requestedAt, expiresIn }: TokenAnswer) =>
      schedule({ requestedAt, expiresIn, tookMs: 0 }, lifetimes, 0)
    const ask = shareTokens(this.#askOf(replica, requests), {
      store: this.#openStore(),
      seal: noSeal,
      key: 'the token',
      freshUntil: answer => timesOf(answer).renewAt,
      expiresAt: answer => timesOf(answer).expiresAt,
      requestTimeoutMs: timeoutMs,
      storeTimeoutMs,
      now,
      onStoreFailure() {},
    })
    const source = createTokenCache(ask, {
      name: 'receipts',
      lifetimes,
      now,
      random: this.#random,
      isClosing: () => false,
      onFailure() {},
    })
    return { source, requests }
  }

  #askOf(replica: Replica, requests: Requests): AskForToken {
    return async () => {
      this.#checkRequest(replica, requests)
      requests.inFlight += 1
      requests.mayAskAgain = false
      const requestedAt = this.#clockOf(replica)
      const answer = await this.#answer(requestedAt)
      requests.inFlight -= 1
      const failed = answer instanceof TokenRequestFailure
      const lifetimeMs = failed ? 0 : (answer.expiresIn ?? 0) * 1000
      const notBefore = requestedAt + lifetimeMs * bounds.renewalAfter
      requests.last = { endedAt: this.#time.now, failed, notBefore }
      return answer
    }
  }

  #checkRequest(replica: Replica, { last, inFlight, mayAskAgain }: Requests): void {
    if (mayAskAgain) return
    this.#expect(inFlight === 0, 'two token requests of one process at the same time')
    if (last === undefined) return
    const sinceMs = this.#time.now - last.endedAt
    if (last.failed)
      this.#expect(sinceMs >= bounds.afterFailureMs, `a token request ${sinceMs} ms after one that failed`)
    else this.#expect(this.#clockOf(replica) >= last.notBefore, 'a token was renewed too early')
  }

  async #answer(requestedAt: number): Promise<TokenAnswer | TokenRequestFailure> {
    const mode = this.#server
    if (mode === 'unreachable') return new TokenRequestFailure('ECONNREFUSED')
    await pause(mode === 'hangs' || mode === 'answer lost' ? timeoutMs : mode === 'slow' ? 3_000 : 20)
    if (mode === 'hangs') return new TokenRequestFailure('the server did not answer in time')
    if (mode === 'malformed') return new TokenRequestFailure('the answer is not JSON')
    if (mode === 'rejects') return new TokenRequestFailure('invalid_client', { permanent: true })
    if (mode === 'busy') return new TokenRequestFailure('the server answered 503', { retryAfterMs: 30_000 })
    const accessToken = `token ${this.#issued.size}`
    this.#issued.set(accessToken, {
      expiresAt: this.#time.now + this.#lifetimeSeconds * 1000,
      revoked: false,
      accepted: false,
    })
    if (mode === 'answer lost') return new TokenRequestFailure('ECONNRESET')
    return { accessToken, requestedAt, expiresIn: this.#lifetimeSeconds, scope: undefined }
  }

  #openStore(): TokenStore {
    const use = <T>(operate: () => T): Promise<T> => {
      const mode = this.#store
      if (mode === 'throws') throw new Error('the store throws')
      if (mode === 'fails') return Promise.reject(new Error('the store fails'))
      if (mode === 'hangs') return new Promise(() => {})
      if (mode === 'garbage') return Promise.resolve('garbage' as T)
      return pause(mode === 'slow' ? 200 : 2).then(operate)
    }
    const read = (key: string): string | undefined => {
      const entry = this.#stored.get(key)
      if (entry !== undefined && entry.until <= this.#time.now) this.#stored.delete(key)
      return this.#stored.get(key)?.value
    }
    const write = (key: string, value: string, ttlMs: number): void =>
      void this.#stored.set(key, { value, until: this.#time.now + ttlMs })
    return {
      get: key => use(() => read(key)),
      set: (key, value, ttlMs) => use(() => write(key, value, ttlMs)),
      lock: (key, owner, ttlMs) =>
        use(() => {
          if (read(`${key} lock`) !== undefined) return false
          write(`${key} lock`, owner, ttlMs)
          return true
        }),
      unlock: (key, owner) =>
        use(() => {
          if (read(`${key} lock`) === owner) this.#stored.delete(`${key} lock`)
        }),
    }
  }
}

function accepted(source: TokenCache, token: Token): 'accepted' {
  source.accept(token)
  return 'accepted'
}
