import { channel } from 'node:diagnostics_channel'

/** Channels of `node:diagnostics_channel` to which the client reports. No message holds a token or a secret. */
export interface TokenClientEvents {
  /** A request for a token goes out. */
  'fastify-token-client:token-requested': { readonly name: string }
  /** A token came. Times in milliseconds. */
  'fastify-token-client:token-received': {
    readonly name: string
    readonly durationMs: number
    readonly expiresAt: number
    readonly scopes: readonly string[] | undefined
  }
  /** No token came; `servingOld` tells whether calls go on with the one at hand. */
  'fastify-token-client:token-failed': {
    readonly name: string
    readonly reason: string
    readonly permanent: boolean
    readonly servingOld: boolean
  }
  /** The store that processes share could not be used; the client goes on without it. */
  'fastify-token-client:store-failed': {
    readonly name: string
    readonly operation: 'get' | 'set' | 'lock' | 'unlock'
    readonly reason: string
  }
  /** A call goes out with a token; `cached` tells whether the token was at hand. */
  'fastify-token-client:call': {
    readonly name: string
    readonly method: string
    readonly origin: string
    /** Without its query, which can hold what nobody wants in a log. */
    readonly path: string
    readonly cached: boolean
  }
  /** The API refused the token with 401; it is dropped, and the call is sent once more if `replayed`. */
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

/** Whether anybody listens: on the way of every call, nothing is made up for nobody. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/** Reports an event. */
export function report<N extends Name>(name: N, message: TokenClientEvents[N]): void {
  channels[name].publish(message)
}
