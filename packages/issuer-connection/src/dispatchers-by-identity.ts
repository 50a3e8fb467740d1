import type { Dispatcher } from 'undici'
import type { TlsSettings } from './open-dispatcher.js'
import type { TlsIdentity } from './tls-identity.js'

/** Manages one dispatcher for each client certificate (TLS identity). */
export interface DispatchersByIdentity {
  /**
   * Returns the dispatcher for a client certificate. A newer certificate closes the dispatchers of earlier ones after
   * their running requests. Requests with an earlier certificate open new connections.
   */
  for(identity: TlsIdentity): Dispatcher
  /** Waits for running requests, then closes all connections. */
  close(): Promise<void>
  /**
   * Aborts running requests. Requests with an earlier certificate finish normally; the promise does not wait for them.
   */
  destroy(): Promise<void>
}

/**
 * Creates a manager of dispatchers.
 * @param open creates a dispatcher. Called once for each certificate, and again if an earlier certificate is reused
 */
export function dispatchersByIdentity(open: (tls: TlsSettings) => Dispatcher): DispatchersByIdentity {
  const used = new Map<TlsIdentity, Dispatcher>()
  const ending = new Set<Promise<void>>()
  let newest = -1
  let isClosed = false

  function end(identity: TlsIdentity, dispatcher: Dispatcher): void {
    used.delete(identity)
    const ended = dispatcher.close().finally(() => ending.delete(ended))
    ended.catch(() => {}) // no request is affected, and a running `close` rejects with this error
    ending.add(ended)
  }

  function endAll(): void {
    for (const [identity, dispatcher] of used) end(identity, dispatcher)
  }

  return {
    for(identity) {
      const found = used.get(identity)
      if (found !== undefined) return found
      if (identity.version > newest) endAll()
      newest = Math.max(newest, identity.version)
      const opened = open(identity.tls)
      used.set(identity, opened)
      if (isClosed) end(identity, opened) // the request fails with an error of undici
      return opened
    },
    async close() {
      isClosed = true
      endAll()
      await Promise.all(ending)
    },
    async destroy() {
      isClosed = true
      const running = [...used.values()]
      used.clear()
      await Promise.all(running.map(dispatcher => dispatcher.destroy()))
    },
  }
}
