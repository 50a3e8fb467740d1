import { channel } from 'node:diagnostics_channel'
import type { AccessToken } from './access-token.js'

/**
 * The events that the plugin publishes through `node:diagnostics_channel`. Do not log the property `request`: it is
 * Fastify's request, and its headers contain the token. No other property contains the token.
 */
export interface ResourceServerEvents {
  /** A token was accepted. For a token passed to `fastify.oauth.verify`, `request` is undefined. */
  'fastify-resource-server:allow': {
    readonly request: object | undefined
    readonly issuer: string
    readonly subject: string | null
    readonly clientId: string | null
    readonly scopes: readonly string[]
    readonly audience: readonly string[]
    readonly expiresAt: number
    /** How long verification took, in milliseconds. */
    readonly durationMs: number
  }
  /** A request or a token was refused. */
  'fastify-resource-server:deny': {
    readonly request: object | undefined
    readonly statusCode: number
    readonly reason: string
    readonly detail: string | undefined
    readonly issuer: string | undefined
    readonly kid: string | undefined
    readonly durationMs: number
  }
  /**
   * A request that would normally have been refused was accepted, because of `mode: 'report'` or the route's `report`.
   */
  'fastify-resource-server:report': {
    readonly request: object
    /** The client id in the token, or null if the token has none. */
    readonly client: string | null
    /** Whether the token was verified. If it was not, `client` cannot be trusted. */
    readonly isVerified: boolean
    readonly route: string
    /** The status code with which the request would have been refused. */
    readonly statusCode: number
    readonly reason: string
    readonly detail: string | undefined
    readonly issuer: string | undefined
    readonly kid: string | undefined
  }
  /** An issuer's keys were fetched successfully. */
  'fastify-resource-server:keys': {
    readonly issuer: string
    readonly kids: readonly (string | undefined)[]
    readonly withdrawn: readonly (string | undefined)[]
    /** The duration of the request to the issuer, in milliseconds. */
    readonly durationMs: number
  }
  /** An issuer's keys could not be fetched. If `servingStale` is true, cached keys are still used. */
  'fastify-resource-server:keys-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /**
   * The application's function `issuers` returned a result. If the result was undefined or null, `trusted` is false.
   */
  'fastify-resource-server:issuer': {
    readonly issuer: string
    readonly trusted: boolean
    readonly durationMs: number
  }
  /**
   * The application's function `issuers` failed or returned invalid options. If `servingStale` is true, the function's
   * previous result is still used.
   */
  'fastify-resource-server:issuer-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /**
   * A token was refused, because @fastify/jwt rejected a signature that `node:crypto` had accepted. The first signature
   * from each key is verified with both libraries, to detect a bug in either of them.
   */
  'fastify-resource-server:signature-disputed': {
    readonly issuer: string
    readonly kid: string | undefined
    readonly algorithm: string
  }
  /** Tokens were revoked, or a revocation was undone. The change has taken effect in this process. */
  'fastify-resource-server:revocation': {
    readonly issuer: string
    /** The kind of value that identifies the revoked tokens, as the name of a property. */
    readonly by: 'jti' | 'clientId' | 'subject' | 'keyId'
    readonly value: string
    /** When the revocation expires, in milliseconds since the epoch. */
    readonly until: number
    /**
     * The revocation applies only to tokens issued before this time, in milliseconds since the epoch. If undefined, it
     * applies to tokens regardless of when they were issued.
     */
    readonly issuedBefore: number | undefined
    readonly undone: boolean
  }
  /** The revocation store is unavailable, so this process may not know of revocations by other replicas. */
  'fastify-resource-server:revocations-unavailable': {
    readonly reason: string
    /** Whether tokens are accepted or refused until the store works again. */
    readonly whileUnavailable: 'accept' | 'refuse'
  }
}

type Name = keyof ResourceServerEvents

const channels = {
  'fastify-resource-server:allow': channel('fastify-resource-server:allow'),
  'fastify-resource-server:deny': channel('fastify-resource-server:deny'),
  'fastify-resource-server:report': channel('fastify-resource-server:report'),
  'fastify-resource-server:keys': channel('fastify-resource-server:keys'),
  'fastify-resource-server:keys-failed': channel('fastify-resource-server:keys-failed'),
  'fastify-resource-server:issuer': channel('fastify-resource-server:issuer'),
  'fastify-resource-server:issuer-failed': channel('fastify-resource-server:issuer-failed'),
  'fastify-resource-server:signature-disputed': channel('fastify-resource-server:signature-disputed'),
  'fastify-resource-server:revocation': channel('fastify-resource-server:revocation'),
  'fastify-resource-server:revocations-unavailable': channel(
    'fastify-resource-server:revocations-unavailable',
  ),
} satisfies Record<Name, unknown>

/** Returns whether anyone subscribes to the given event. If not, the event object is never created. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/**
 * Publishes an event. This function never throws: if a subscriber throws, Node.js reports an uncaught exception
 * instead.
 */
export function report<N extends Name>(name: N, message: ResourceServerEvents[N]): void {
  channels[name].publish(message)
}

/** Writes a log line. Errors from the logger are ignored, because they must not affect the request. */
export function writeLog(write: () => unknown): void {
  try {
    const written = write()
    if (written instanceof Promise) written.catch(() => {})
  } catch {
    // An error from the logger cannot be logged.
  }
}

/**
 * Returns the current time, as the start of a measured duration. Returns undefined if no subscriber needs the duration.
 */
export function startTime(): number | undefined {
  return isObserved('fastify-resource-server:allow') || isObserved('fastify-resource-server:deny')
    ? performance.now()
    : undefined
}

/** Returns the milliseconds that have passed since a start time, or 0 if there is no start time. */
export function since(startedAt: number | undefined): number {
  return startedAt === undefined ? 0 : performance.now() - startedAt
}

/** Publishes the event for an accepted token. */
export function reportAllowed(token: AccessToken, startedAt: number | undefined, request?: object): void {
  if (!isObserved('fastify-resource-server:allow')) return
  const { issuer, subject, clientId, scopes, audience, expiresAt } = token
  report('fastify-resource-server:allow', {
    request,
    issuer,
    subject,
    clientId,
    scopes,
    audience,
    expiresAt,
    durationMs: since(startedAt),
  })
}
