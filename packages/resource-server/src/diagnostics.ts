import { channel } from 'node:diagnostics_channel'
import type { AccessToken } from './access-token.js'

/**
 * The events that the plugin publishes through `node:diagnostics_channel`. An event is created only if it has a
 * subscriber. The only property that contains the token is `request`: it is Fastify's request, including all headers.
 * Never log the complete `request`.
 */
export interface ResourceServerEvents {
  /** A token was accepted. `request` is undefined if `fastify.oauth.verify` accepted the token. */
  'fastify-resource-server:allow': {
    readonly request: object | undefined
    readonly issuer: string
    readonly subject: string | null
    readonly clientId: string | null
    readonly scopes: readonly string[]
    readonly audience: readonly string[]
    readonly expiresAt: number
    /** The time since the verification started, in milliseconds. */
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
   * A request was accepted only because the plugin has `mode: 'report'`, or because the failed requirement is in the
   * route's `report`. Otherwise, the request would have been refused.
   */
  'fastify-resource-server:report': {
    readonly request: object
    /** The client id in the token, or null if the token has none. */
    readonly client: string | null
    /** Whether the token was verified. If it was not, `client` is not trustworthy. */
    readonly isVerified: boolean
    readonly route: string
    /** The status code that a refused request would have received. */
    readonly statusCode: number
    readonly reason: string
    readonly detail: string | undefined
    readonly issuer: string | undefined
    readonly kid: string | undefined
  }
  /** The keys of an issuer were fetched. */
  'fastify-resource-server:keys': {
    readonly issuer: string
    readonly kids: readonly (string | undefined)[]
    readonly withdrawn: readonly (string | undefined)[]
    /** The duration of the request to the issuer, in milliseconds. */
    readonly durationMs: number
  }
  /** The keys of an issuer could not be fetched. `servingStale` is true if the cached keys are still used. */
  'fastify-resource-server:keys-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /** The option `issuers` is a function, and it returned a result. `trusted` is false for undefined or null. */
  'fastify-resource-server:issuer': {
    readonly issuer: string
    readonly trusted: boolean
    readonly durationMs: number
  }
  /**
   * The option `issuers` is a function, and it failed or returned invalid options. `servingStale` is true if the
   * function's previous result is still used.
   */
  'fastify-resource-server:issuer-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /**
   * A token was refused, because `node:crypto` accepts its signature but @fastify/jwt rejects it. Both verify the first
   * signature of each key. If they disagree, one of them has a bug.
   */
  'fastify-resource-server:signature-disputed': {
    readonly issuer: string
    readonly kid: string | undefined
    readonly algorithm: string
  }
  /** Tokens were revoked, or a revocation was undone. The change has taken effect in this process. */
  'fastify-resource-server:revocation': {
    readonly issuer: string
    /** The property by which the revoked tokens are identified. */
    readonly by: 'jti' | 'clientId' | 'subject' | 'keyId'
    readonly value: string
    /** When the revocation ends, in milliseconds since the epoch. */
    readonly until: number
    /**
     * Only tokens issued before this time are revoked, in milliseconds since the epoch. If undefined, all tokens are
     * revoked, regardless of their `iat`.
     */
    readonly issuedBefore: number | undefined
    readonly undone: boolean
  }
  /** The revocation store cannot be used. This process may therefore miss revocations by other replicas. */
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

/** Returns whether an event has a subscriber. Events without a subscriber are not created. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/**
 * Publishes an event. If a subscriber throws, Node.js reports an uncaught exception, but this function does not throw.
 */
export function report<N extends Name>(name: N, message: ResourceServerEvents[N]): void {
  channels[name].publish(message)
}

/** Writes a log line. Ignores errors from the logger, because they must not affect the request. */
export function writeLog(write: () => unknown): void {
  try {
    const written = write()
    if (written instanceof Promise) written.catch(() => {})
  } catch {
    // The error cannot be logged, because the logger itself failed.
  }
}

/** Returns the current time for measuring an event's duration, or undefined if no event has a subscriber. */
export function startTime(): number | undefined {
  return isObserved('fastify-resource-server:allow') || isObserved('fastify-resource-server:deny')
    ? performance.now()
    : undefined
}

/** Returns the milliseconds since the start time, or 0 if the start time is undefined. */
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
