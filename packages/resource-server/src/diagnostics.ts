import { channel } from 'node:diagnostics_channel'
import type { AccessToken } from './access-token.js'

/**
 * Channels of `node:diagnostics_channel` to which the plugin reports. No message holds a token, save that `request` is
 * Fastify's request with all its headers: take from it what you need, and never log it as a whole. Messages are made only while somebody listens.
 */
export interface ResourceServerEvents {
  /** A token was accepted: `request` is undefined where `fastify.oauth.verify` did it. */
  'fastify-resource-server:allow': {
    readonly request: object | undefined
    readonly issuer: string
    readonly subject: string | null
    readonly clientId: string | null
    readonly scopes: readonly string[]
    readonly audience: readonly string[]
    readonly expiresAt: number
    /** Milliseconds since the token was looked at. */
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
  /** A request was let in that would be refused: with `mode: 'report'`, or by `report` of its route. */
  'fastify-resource-server:report': {
    readonly request: object
    /** The client that the token names; null: no token names one. */
    readonly client: string | null
    /** Whether the token was verified. If not, anyone may have written the client's name into it. */
    readonly isVerified: boolean
    readonly route: string
    /** The status that a refusal would have. */
    readonly statusCode: number
    readonly reason: string
    readonly detail: string | undefined
    readonly issuer: string | undefined
    readonly kid: string | undefined
  }
  /** An issuer answered with its keys. */
  'fastify-resource-server:keys': {
    readonly issuer: string
    readonly kids: readonly (string | undefined)[]
    readonly withdrawn: readonly (string | undefined)[]
    /** How long the issuer took. */
    readonly durationMs: number
  }
  /** An issuer did not; `servingStale` tells whether earlier keys serve on. */
  'fastify-resource-server:keys-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /** The function `issuers` answered for an issuer; `trusted` is false if it returned undefined. */
  'fastify-resource-server:issuer': {
    readonly issuer: string
    readonly trusted: boolean
    readonly durationMs: number
  }
  /** It did not, or with wrong options; `servingStale` tells whether the issuer is trusted until then. */
  'fastify-resource-server:issuer-failed': {
    readonly issuer: string
    readonly message: string
    readonly servingStale: boolean
    readonly retryAfterMs: number
    readonly durationMs: number
  }
  /**
   * `node:crypto` accepts the first signature of a key and @fastify/jwt does not. The token was refused: one of the two
   * has a fault that matters.
   */
  'fastify-resource-server:signature-disputed': {
    readonly issuer: string
    readonly kid: string | undefined
    readonly algorithm: string
  }
  /** Tokens were revoked, or a revocation was undone, and this process acts accordingly. */
  'fastify-resource-server:revocation': {
    readonly issuer: string
    /** Which claim names the tokens. */
    readonly by: 'jti' | 'clientId' | 'subject' | 'keyId'
    readonly value: string
    /** Milliseconds since the epoch. */
    readonly until: number
    /** Milliseconds since the epoch; undefined: all tokens, whenever they were issued. */
    readonly issuedBefore: number | undefined
    readonly undone: boolean
  }
  /** The revocation store cannot be used: revocations by other replicas may be unknown to this process. */
  'fastify-resource-server:revocations-unavailable': {
    readonly reason: string
    /** What happens to tokens until it works again. */
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

/** Whether anybody listens: nothing has to be made up for nobody. */
export function isObserved(name: Name): boolean {
  return channels[name].hasSubscribers
}

/**
 * Publishes an event. Node.js keeps what subscribers throw away from us, and reports it as an uncaught exception.
 */
export function report<N extends Name>(name: N, message: ResourceServerEvents[N]): void {
  channels[name].publish(message)
}

/** Writes a line to the application's log. A logger that fails must not become the outcome of a request. */
export function writeLog(write: () => unknown): void {
  try {
    const written = write()
    if (written instanceof Promise) written.catch(() => {})
  } catch {
    // Whatever reports failures has failed itself; there is nobody else to tell.
  }
}

/** When something began, for the events about its end; undefined while nobody listens to them. */
export function startTime(): number | undefined {
  return isObserved('fastify-resource-server:allow') || isObserved('fastify-resource-server:deny')
    ? performance.now()
    : undefined
}

/** Milliseconds since then; 0 for what began before anybody listened. */
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
