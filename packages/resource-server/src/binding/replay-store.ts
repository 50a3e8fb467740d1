/** Remembers which proofs were used, so that each is used once (RFC 9449 §11.1). Shared by replicas, or their own. */
export interface ReplayStore {
  /**
   * Adds an id for `ttlMs` milliseconds. Returns `true` if it was not there, `false` if it was. Must be atomic. Ids have 22
   * characters. Everything else, such as an error or no answer within a second, counts as an outage of the store: the
   * request gets 503.
   * @param client thumbprint of the client's key, for a store that limits how many ids one client may add
   */
  add(id: string, ttlMs: number, client: string): boolean | PromiseLike<boolean>
}

interface Generation {
  readonly ids: Set<string>
  readonly idsOfClient: Map<string, number>
}

const newGeneration = (): Generation => ({ ids: new Set(), idsOfClient: new Map() })

/**
 * Keeps ids in this process, in two generations of `ttlMs` each: an id lasts for that time at least, and a whole generation
 * is discarded at once. A client may add as many ids to a generation as there is room left: one client alone gets half of
 * it, two get a third each, and there is always room for another one.
 * @param maxIds the most ids in a generation; an id that cannot be remembered cannot be accepted
 */
export function createReplayMemory(now: () => number, maxIds: number = 1_000_000): ReplayStore {
  let young = newGeneration()
  let old = newGeneration()
  let turnAt = -Infinity

  function turnGenerations(ttlMs: number): void {
    const time = now()
    if (time >= turnAt) {
      // However long ago the last turn was: the clock may have jumped forward, and may jump back.
      old = young
      young = newGeneration()
      turnAt = time + ttlMs
    }
    // The clock was set back. Without this, ids would be kept until it has caught up.
    turnAt = Math.min(turnAt, time + ttlMs)
  }

  return {
    add(id, ttlMs, client) {
      turnGenerations(ttlMs)
      const { ids, idsOfClient } = young
      if (ids.has(id) || old.ids.has(id)) return false
      const used = idsOfClient.get(client) ?? 0
      if (used >= maxIds - ids.size)
        throw new Error(
          `a client used ${used} proofs within ${ttlMs} ms, which is all the space that one client may use`,
        )
      ids.add(id)
      idsOfClient.set(client, used + 1)
      return true
    },
  }
}
