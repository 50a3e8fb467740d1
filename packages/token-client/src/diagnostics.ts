import { channel } from 'node:diagnostics_channel'

/** The client's channels of `node:diagnostics_channel`. No message holds a token or a secret. */
export interface TokenClientEvents {
  /** A token request is sent. */
  'fastify-token-client:token-requested': { readonly name: string }
  /** A token was received. Times in milliseconds. */
  'fastify-token-client:token-received': {
    readonly name: string
    readonly durationMs: number
    readonly expiresAt: number
    readonly scopes: readonly string[] | undefined
  }
  /** A token request failed; `servingOld` tells whether calls use the cached token meanwhile. */
  'fastify-token-client:token-failed': {
    readonly name: string
    readonly reason: string
    readonly permanent: boolean
    readonly servingOld: boolean
  }
  /** The shared token store could not be used; the client requests tokens without it. */
  'fastify-token-client:store-failed': {
    readonly name: string
    readonly operation: 'get' | 'set' | 'lock' | 'unlock'
    readonly reason: string
  }
  /** A call is sent with a token; `cached` tells whether the token came from the cache. */
  'fastify-token-client:call': {
    readonly name: string
    readonly method: string
    readonly origin: string
    /** Without the query, which may hold personal data. */
    readonly path: string
    readonly cached: boolean
  }
  /** The API refused the token with 401. It is discarded; `replayed`: the call is sent again if there is another token. */
  'fastify-token-client:refused': { readonly name: string; readonly path: string; readonly replayed: boolean }
}

type Name = keyof TokenClientEvents

const channels = {
  'fastify-token-client:token-requested': channel('fastify-token-client:token-requested'),
  'fastify-token-client:token-received': channel('fastify-token-client:token-received'),
  'fastify-token-client:token-failed': channel('fastify-token-client:token-failed'),
  'fastify-token-client:store-failed': channel('fastify-token-client:store-failed'),
  'fastify-token-client:call': channel('fastify-token-client:call'),
  'fastify-token-client:refused': channel('fastify-token-client:refused'),
} satisfies Record<Name, unknown>

/** Whether there are subscribers: events of calls are only built if so. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/** Publishes an event. Node.js keeps what subscribers throw away from us, and reports it as an uncaught exception. */
export function report<N extends Name>(name: N, message: TokenClientEvents[N]): void {
  channels[name].publish(message)
}

/** Calls a logger or another listener. If it throws, that must not become the outcome of the call. */
export function notify(listener: () => unknown): void {
  try {
    const notified = listener()
    if (notified instanceof Promise) notified.catch(() => {})
  } catch {
    // Whatever reports failures has failed itself; there is nobody else to tell.
  }
}
