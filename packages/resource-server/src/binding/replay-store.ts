/**
 * Stores the ids of used DPoP proofs, so that each proof is accepted only once (RFC 9449 §11.1). Replicas can share one
 * store.
 */
export interface ReplayStore {
  /**
   * Stores an id for `ttlMs` milliseconds. Returns `true` if the id is new, or `false` if the store already has it. The
   * operation must be atomic. If it throws, returns another value or takes longer than a second, the request gets 503.
   * @param id the id of the proof, which has 22 characters
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
 * Creates a store that keeps ids in memory, in two generations that each last `ttlMs`. The older generation is
 * discarded as a unit, so that each id is kept for at least `ttlMs`. A client can add ids to a generation until it has
 * as many ids as there are free places. A single client can therefore use half of the places, and two clients a third
 * each. Some places always remain for new clients.
 * @param maxIds the maximum number of ids in a generation. If an id cannot be added, its proof is refused
 */
export function createReplayMemory(now: () => number, maxIds: number = 1_000_000): ReplayStore {
  let young = newGeneration()
  let old = newGeneration()
  let turnAt = -Infinity

  function turnGenerations(ttlMs: number): void {
    const time = now()
    if (time >= turnAt) {
      // Only one generation is discarded, even if much time has passed: the clock may have jumped ahead and may jump
      // back.
      old = young
      young = newGeneration()
      turnAt = time + ttlMs
    }
    // This limit matters if the clock was set back. Otherwise, ids would be kept until the clock reached the old time.
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
          `a client used ${used} DPoP proofs within ${ttlMs} ms, which is the maximum for one client`,
        )
      ids.add(id)
      idsOfClient.set(client, used + 1)
      return true
    },
  }
}
