import type { Dispatcher } from 'undici'
import type { TlsSettings } from './open-dispatcher.js'
import type { TlsIdentity } from './tls-identity.js'

/** Keeps one dispatcher for each client certificate. */
export interface DispatchersByIdentity {
  /**
   * Returns the dispatcher for a client certificate. When a newer certificate is used for the first time, the
   * dispatchers of all older certificates finish their in-flight requests and close. If an older certificate is used
   * again, a new dispatcher is created.
   */
  for(identity: TlsIdentity): Dispatcher
  /** Waits for in-flight requests, then closes all connections. */
  close(): Promise<void>
  /**
   * Aborts in-flight requests that use the current certificate. In-flight requests that use a replaced certificate
   * finish normally, but the returned promise does not wait for them.
   */
  destroy(): Promise<void>
}

/**
 * Creates one dispatcher for each client certificate, when the certificate is first used.
 * @param open a function that creates a dispatcher. `open` is called again if an older certificate is reused
 */
export function dispatchersByIdentity(open: (tls: TlsSettings) => Dispatcher): DispatchersByIdentity {
  const used = new Map<TlsIdentity, Dispatcher>()
  const ending = new Set<Promise<void>>()
  let newest = -1
  let isClosed = false

  function end(identity: TlsIdentity, dispatcher: Dispatcher): void {
    used.delete(identity)
    const ended = dispatcher.close().finally(() => ending.delete(ended))
    ended.catch(() => {}) // Prevents an unhandled rejection. The method `close` still reports the error.
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
      if (isClosed) end(identity, opened) // If this object is closed, the request fails with undici's error for a closed dispatcher.
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
