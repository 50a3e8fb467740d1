import { channel } from 'node:diagnostics_channel'

/** The diagnostics channels of the client (`node:diagnostics_channel`). Messages contain no token and no secret. */
export interface TokenClientEvents {
  /** The client sends a token request. */
  'fastify-token-client:token-requested': { readonly name: string }
  /** The client received a token. Times are in milliseconds. */
  'fastify-token-client:token-received': {
    readonly name: string
    readonly durationMs: number
    readonly expiresAt: number
    readonly scopes: readonly string[] | undefined
  }
  /** A token request failed. `servingOld` is true if calls use the cached token meanwhile. */
  'fastify-token-client:token-failed': {
    readonly name: string
    readonly reason: string
    readonly permanent: boolean
    readonly servingOld: boolean
  }
  /** The token store failed, and the client requests tokens without it. */
  'fastify-token-client:store-failed': {
    readonly name: string
    readonly operation: 'get' | 'set' | 'lock' | 'unlock'
    readonly reason: string
  }
  /** The client sends a call. `cached` is true if its token came from the cache. */
  'fastify-token-client:call': {
    readonly name: string
    readonly method: string
    readonly origin: string
    /** The path without the query, which may contain personal data. */
    readonly path: string
    readonly cached: boolean
  }
  /**
   * The API refused the token with 401, and the client discarded it. `replayed` is true if the call is sent again once
   * another token is available.
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

/** Returns true if a channel has subscribers. Events of calls are created only in this case. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/** Publishes an event. Node.js reports exceptions of subscribers as uncaught exceptions. */
export function report<N extends Name>(name: N, message: TokenClientEvents[N]): void {
  channels[name].publish(message)
}

/** Calls a logger or another listener, and ignores its exceptions. */
export function notify(listener: () => unknown): void {
  try {
    const notified = listener()
    if (notified instanceof Promise) notified.catch(() => {})
  } catch {
    // The listener itself failed, so the exception cannot be reported.
  }
}
