/** Remembers which proofs were used, so that each is used once (RFC 9449 §11.1). Shared by replicas, or their own. */
export interface ReplayStore {
  /**
   * Notes an id for `ttlMs` milliseconds; true if it was not there. Has to be atomic. An error means that nobody can
   * tell, and the request is answered with 503.
   */
  add(id: string, ttlMs: number): boolean | Promise<boolean>
}

/** More ids are not kept; what cannot be remembered cannot be accepted. */
const maxIds = 1_000_000

/**
 * Keeps ids in this process, in two generations: each lasts as long as a proof is good, so that an id is there for that
 * time at least, and nothing has to be looked for to be thrown away.
 */
export function createReplayMemory(now: () => number): ReplayStore {
  let young = new Set<string>()
  let old = new Set<string>()
  let turnAt = -Infinity
  return {
    add(id, ttlMs) {
      const time = now()
      const untilTurn = turnAt - time
      // Where the clock was set back by hours, the turn would not come for as long, and more and more would be kept.
      if (untilTurn <= 0 || untilTurn > 2 * ttlMs) {
        old = untilTurn > -ttlMs ? young : new Set()
        young = new Set()
        turnAt = time + ttlMs
      }
      if (young.has(id) || old.has(id)) return false
      if (young.size >= maxIds) throw new Error(`more than ${maxIds} proofs in ${ttlMs} ms`)
      young.add(id)
      return true
    },
  }
}

/** What is needed of a connection to Redis or Valkey: ioredis and iovalkey have it. */
export interface RedisConnection {
  set(key: string, value: string, unit: 'PX', ttlMs: number, condition: 'NX'): Promise<unknown>
}

/**
 * Keeps ids in Redis or Valkey, for replicas: a proof that one of them has seen is refused by all.
 * @param redis a connection of ioredis or iovalkey, yours to close
 * @param prefix put before every key. Default `dpop-jti:`
 */
export function redisReplayStore(redis: RedisConnection, prefix: string = 'dpop-jti:'): ReplayStore {
  return {
    add: async (id, ttlMs) => (await redis.set(prefix + id, '1', 'PX', Math.ceil(ttlMs), 'NX')) === 'OK',
  }
}
