import type { Handle } from './answer.js'
import { createDispatcher, type IssuerDispatcher } from './dispatcher.js'
import { createFetch, type IssuerFetch } from './fetch.js'
import { listen } from './listener.js'

/** The ways to reach the issuer: `fetch`, `dispatcher` and, with `listen: true`, a socket. */
export interface Network {
  readonly origin: string
  readonly fetch: IssuerFetch
  readonly dispatcher: IssuerDispatcher
  /** A signal that is aborted when the issuer is closed. */
  readonly closing: AbortSignal
  setReachable(reachable: boolean): void
  close(): Promise<void>
}

interface Place {
  readonly listen: boolean
  readonly port: number
  readonly origin: string
}

/**
 * Creates `fetch` and `dispatcher`, and opens a socket if `listen` is true.
 * @param handle a function that handles a request. It is not called until this function has returned, because only then
 * is the origin known
 */
export async function openNetwork(place: Place, handle: Handle): Promise<Network> {
  const closing = new AbortController()
  const listener = place.listen ? await listen(place.port, handle) : undefined
  const origin = listener === undefined ? place.origin : `http://127.0.0.1:${listener.port}`
  let reachable = true
  function setReachable(value: boolean): void {
    reachable = value && !closing.signal.aborted
    listener?.setReachable(reachable)
  }
  const fetch = createFetch(origin, handle, () => reachable)
  return {
    origin,
    fetch,
    dispatcher: createDispatcher(fetch),
    closing: closing.signal,
    setReachable,
    async close() {
      closing.abort()
      setReachable(false)
      await listener?.close()
    },
  }
}
