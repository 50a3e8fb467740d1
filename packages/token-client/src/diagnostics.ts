import { channel } from 'node:diagnostics_channel'

/** The diagnostics channels of the client (`node:diagnostics_channel`). Messages contain no tokens and no secrets. */
export interface TokenClientEvents {
  /** Published when the client sends a token request. */
  'fastify-token-client:token-requested': { readonly name: string }
  /** Published when the client receives a token. Times are in milliseconds. */
  'fastify-token-client:token-received': {
    readonly name: string
    readonly durationMs: number
    readonly expiresAt: number
    readonly scopes: readonly string[] | undefined
  }
  /** Published when a token request fails. `servingOld` is true if calls can still use the cached token. */
  'fastify-token-client:token-failed': {
    readonly name: string
    readonly reason: string
    readonly permanent: boolean
    readonly servingOld: boolean
  }
  /** Published when the token store fails. The client then requests tokens without the store. */
  'fastify-token-client:store-failed': {
    readonly name: string
    readonly operation: 'get' | 'set' | 'lock' | 'unlock'
    readonly reason: string
  }
  /** Published when the client sends a call. `cached` is true if the token came from the cache. */
  'fastify-token-client:call': {
    readonly name: string
    readonly method: string
    readonly origin: string
    /** The path without the query, because a query may contain personal data. */
    readonly path: string
    readonly cached: boolean
  }
  /**
   * Published when the API rejects the token with a 401 response. `replayed` is true if the client sends the call again
   * with a different token.
   */
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

/** Returns true if the given channel has subscribers. If it has none, no event needs to be created. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/** Publishes an event. If a subscriber throws, Node.js raises an uncaught exception. */
export function report<N extends Name>(name: N, message: TokenClientEvents[N]): void {
  channels[name].publish(message)
}

/** Calls a logger or another listener, and ignores its exceptions. */
export function notify(listener: () => unknown): void {
  try {
    const notified = listener()
    if (notified instanceof Promise) notified.catch(() => {})
  } catch {
    // An exception from the logger itself cannot be reported.
  }
}
