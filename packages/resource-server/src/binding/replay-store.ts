/**
 * Stores the ids of used DPoP proofs, so that each proof is accepted only once (RFC 9449 §11.1). Replicas can share one
 * store.
 */
export interface ReplayStore {
  /**
   * Stores an id for `ttlMs` milliseconds, and returns `true` if the id is new, or `false` if it was already stored.
   * The operation must be atomic. If the call throws, returns any other value or takes longer than a second, the
   * request receives a 503 response.
   * @param id the id of the proof, a string of 22 characters
   * @param client the thumbprint of the client's key. A store can use it to limit the number of ids per client
   */
  add(id: string, ttlMs: number, client: string): boolean | PromiseLike<boolean>
}

interface Generation {
  readonly ids: Set<string>
  readonly idsOfClient: Map<string, number>
}

const newGeneration = (): Generation => ({ ids: new Set(), idsOfClient: new Map() })

/**
 * Creates a store that keeps ids in memory, in two generations. Every `ttlMs`, the older generation is discarded and a
 * new one is started, so each id is kept for at least `ttlMs`. A single client can fill at most half of a generation,
 * so it cannot lock out all other clients.
 * @param maxIds the maximum number of ids in a generation. If an id cannot be added, its proof is refused
 */
export function createReplayMemory(now: () => number, maxIds: number = 1_000_000): ReplayStore {
  let young = newGeneration()
  let old = newGeneration()
  let turnAt = -Infinity

  function turnGenerations(ttlMs: number): void {
    const time = now()
    if (time >= turnAt) {
      // Only one generation is discarded at a time, even if the clock has jumped ahead, because the jump may be a mistake that is corrected later.
      old = young
      young = newGeneration()
      turnAt = time + ttlMs
    }
    // If the clock was set back, the older generation is discarded sooner than planned, because ids would otherwise be kept for too long.
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
          `the client has used ${used} DPoP proofs within ${ttlMs} ms, which is the maximum for one client`,
        )
      ids.add(id)
      idsOfClient.set(client, used + 1)
      return true
    },
  }
}
