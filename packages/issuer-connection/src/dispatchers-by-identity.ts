import type { Dispatcher } from 'undici'
import type { TlsSettings } from './open-dispatcher.js'
import type { TlsIdentity } from './tls-identity.js'

/** Manages one dispatcher for each client certificate (TLS identity). */
export interface DispatchersByIdentity {
  /**
   * Returns the dispatcher for a client certificate. The first use of a newer certificate closes the dispatchers of all
   * older certificates when their running requests have finished. A later request with an older certificate opens a new
   * connection.
   */
  for(identity: TlsIdentity): Dispatcher
  /** Waits for running requests, then closes all connections. */
  close(): Promise<void>
  /**
   * Aborts running requests. Requests whose certificate has since been replaced finish normally, and the promise does
   * not wait for them.
   */
  destroy(): Promise<void>
}

/**
 * Creates an object that manages one dispatcher for each client certificate.
 * @param open creates a dispatcher. The function is called once for each certificate, and again if an older certificate
 * is reused
 */
export function dispatchersByIdentity(open: (tls: TlsSettings) => Dispatcher): DispatchersByIdentity {
  const used = new Map<TlsIdentity, Dispatcher>()
  const ending = new Set<Promise<void>>()
  let newest = -1
  let isClosed = false

  function end(identity: TlsIdentity, dispatcher: Dispatcher): void {
    used.delete(identity)
    const ended = dispatcher.close().finally(() => ending.delete(ended))
    ended.catch(() => {}) // this error affects no request; if `close` is running, it rejects with this error
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
      if (isClosed) end(identity, opened) // the request then fails with undici's own error
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
