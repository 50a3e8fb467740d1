import type { Dispatcher } from 'undici'
import type { TlsSettings } from './open-dispatcher.js'
import type { TlsIdentity } from './tls-identity.js'

/** Dispatchers whose connections present the certificate of an identity. */
export interface DispatchersByIdentity {
  /**
   * The dispatcher for an identity. When an identity is newer than those before it, their dispatchers are closed: running
   * requests end, and their connections after them. An older identity can still be used, over new connections.
   */
  for(identity: TlsIdentity): Dispatcher
  /** Resolves when running requests have ended and all connections are closed. */
  close(): Promise<void>
  /** Aborts running requests, except those over earlier certificates: they end first. Does not wait for them. */
  destroy(): Promise<void>
}

/** @param open opens a dispatcher; called once for each identity, and again for an older one that is used again */
export function dispatchersByIdentity(open: (tls: TlsSettings) => Dispatcher): DispatchersByIdentity {
  const used = new Map<TlsIdentity, Dispatcher>()
  const ending = new Set<Promise<void>>()
  let newest = -1
  let isClosed = false

  function end(identity: TlsIdentity, dispatcher: Dispatcher): void {
    used.delete(identity)
    const ended = dispatcher.close().finally(() => ending.delete(ended))
    ended.catch(() => {}) // `close` rejects with the error; without `close`, it affects no request
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
      if (isClosed) end(identity, opened) // requests fail with undici's own error
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
