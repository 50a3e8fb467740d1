/**
 * Stores the ids of used DPoP proofs, so that each proof is accepted once (RFC 9449 §11.1). Replicas can share a store.
 */
export interface ReplayStore {
  /**
   * Adds an id for `ttlMs` milliseconds. Returns `true` if the id is new, and `false` if the store already has it. The
   * operation must be atomic. Ids have 22 characters. If the store throws, returns another value or does not respond
   * within a second, the request gets 503.
   * @param client the thumbprint of the client's key, for a store that limits the number of ids per client
   */
  add(id: string, ttlMs: number, client: string): boolean | PromiseLike<boolean>
}

interface Generation {
  readonly ids: Set<string>
  readonly idsOfClient: Map<string, number>
}

const newGeneration = (): Generation => ({ ids: new Set(), idsOfClient: new Map() })

/**
 * Keeps the ids in memory, in two generations of `ttlMs` each. An id is kept for at least `ttlMs`, and a generation is
 * discarded at once. A client may add ids to a generation until its share equals the free space: a single client gets
 * half of the space, and two clients get a third each. This leaves space for new clients.
 * @param maxIds the maximum number of ids in a generation. If there is no space for an id, its proof is refused
 */
export function createReplayMemory(now: () => number, maxIds: number = 1_000_000): ReplayStore {
  let young = newGeneration()
  let old = newGeneration()
  let turnAt = -Infinity

  function turnGenerations(ttlMs: number): void {
    const time = now()
    if (time >= turnAt) {
      // Discard only one generation, even if much time has passed: the clock may have jumped forward and may jump back.
      old = young
      young = newGeneration()
      turnAt = time + ttlMs
    }
    // The clock was set back. Without this, ids would be kept until the clock reaches the old time.
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
          `a client used ${used} proofs within ${ttlMs} ms, which is the maximum for one client`,
        )
      ids.add(id)
      idsOfClient.set(client, used + 1)
      return true
    },
  }
}
