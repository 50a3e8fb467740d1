import { channel } from 'node:diagnostics_channel'
import type { AccessToken } from './access-token.js'

/**
 * The events that the plugin publishes through `node:diagnostics_channel`. Events are created only if there is a
 * subscriber. They contain no token, except that `request` is Fastify's request with all its headers. Never log
 * `request` as a whole.
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
   * A request was accepted, but would be refused without `mode: 'report'` or without `report` in the rule of the route.
   */
  'fastify-resource-server:report': {
    readonly request: object
    /** The client that the token names; null if the token names no client. */
    readonly client: string | null
    /** Whether the token was verified. If not, the client's name is not trustworthy. */
    readonly isVerified: boolean
    readonly route: string
    /** The status of the refusal. */
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
  /** The keys of an issuer could not be fetched. `servingStale` says whether cached keys are still used. */
  'fastify-resource-server:keys-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /** The function `issuers` returned a result. `trusted` is false if the result was undefined or null. */
  'fastify-resource-server:issuer': {
    readonly issuer: string
    readonly trusted: boolean
    readonly durationMs: number
  }
  /**
   * The function `issuers` failed or returned invalid options. `servingStale` says whether the previous result is still
   * used.
   */
  'fastify-resource-server:issuer-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /**
   * `node:crypto` accepts the first signature of a key, but @fastify/jwt does not. The token was refused, because one
   * of the two implementations has a bug.
   */
  'fastify-resource-server:signature-disputed': {
    readonly issuer: string
    readonly kid: string | undefined
    readonly algorithm: string
  }
  /** Tokens were revoked, or a revocation was undone. The change is in effect in this process. */
  'fastify-resource-server:revocation': {
    readonly issuer: string
    /** The property that identifies the revoked tokens. */
    readonly by: 'jti' | 'clientId' | 'subject' | 'keyId'
    readonly value: string
    /** Milliseconds since the epoch. */
    readonly until: number
    /** In milliseconds since the epoch. Undefined: all tokens, independent of their `iat`. */
    readonly issuedBefore: number | undefined
    readonly undone: boolean
  }
  /** The revocation store cannot be used, so this process may not know the latest revocations of other replicas. */
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

/** Returns whether an event has a subscriber. Without one, the event need not be created. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/**
 * Publishes an event. If a subscriber throws, Node.js reports an uncaught exception, and the caller is not affected.
 */
export function report<N extends Name>(name: N, message: ResourceServerEvents[N]): void {
  channels[name].publish(message)
}

/** Writes a log line. A logger that throws must not affect the request. */
export function writeLog(write: () => unknown): void {
  try {
    const written = write()
    if (written instanceof Promise) written.catch(() => {})
  } catch {
    // The logger itself failed, so the error cannot be logged.
  }
}

/** Returns the start time for the duration in events; undefined if no event has a subscriber. */
export function startTime(): number | undefined {
  return isObserved('fastify-resource-server:allow') || isObserved('fastify-resource-server:deny')
    ? performance.now()
    : undefined
}

/** Returns the milliseconds since the start time; 0 if there is no start time. */
export function since(startedAt: number | undefined): number {
  return startedAt === undefined ? 0 : performance.now() - startedAt
}

/** Reports an accepted token. */
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
