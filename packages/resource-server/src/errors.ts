import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { ConnectionProblem } from 'oauth-issuer-connection'
import type { AccessToken } from './access-token.js'

/** Why a token was refused. The reason is included in the log and in events, but never in the response. */
export type RefusalReason =
  | 'missing'
  | 'credentials'
  | 'malformed'
  | 'algorithm'
  | 'unknown_key'
  | 'signature'
  | 'issuer'
  | 'type'
  | 'claim'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'scope'
  | 'inactive'
  | 'revoked'
  | 'binding'
  | 'proof'
  | 'nonce'
  | 'authentication'
  | 'unavailable'

/** The details of a refusal for the log. They contain neither a token nor a complete header. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  /**
   * A description of the problem for the operator. It may quote claims of an unverified token. Long values are
   * truncated, and tokens and invisible characters in them are replaced.
   */
  readonly detail?: string | undefined
  readonly kid?: string | undefined
  readonly issuer?: string | undefined
}

/**
 * The error with which `fastify.oauth.verify` rejects. Its details are not enumerable, to keep them out of responses.
 */
export type RefusedTokenError = Error &
  RefusalDetails & { readonly code: string; readonly statusCode: number }

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * Creates an error class without stack traces. A stack trace would not help the caller, and capturing it would take
 * most of the time that creating an error takes.
 */
function refusal(code: string, message: string, statusCode: number): Make {
  return createError(code, message, statusCode, Error, false)
}

/** 400: the request has more than one token, or the Authorization header is malformed (RFC 6750 §3.1). */
export const InvalidRequestError: Make = refusal(
  'OAUTH_INVALID_REQUEST',
  'The request must carry exactly one access token in the Authorization header',
  400,
)

/** 401: the request has no access token. The challenge contains no error code (RFC 6750 §3.1). */
export const MissingTokenError: Make = refusal('OAUTH_MISSING_TOKEN', 'An access token is required', 401)

/** 401: the token is expired, malformed, issued for another audience or otherwise invalid (RFC 6750 §3.1). */
export const InvalidTokenError: Make = refusal('OAUTH_INVALID_TOKEN', 'The access token is invalid', 401)

/** 401: the DPoP proof is missing or invalid, or was used before (RFC 9449 §7.1). */
export const InvalidDpopProofError: Make = refusal(
  'OAUTH_INVALID_DPOP_PROOF',
  'The DPoP proof is invalid',
  401,
)

/** 401: the DPoP proof must contain the nonce from the response header `DPoP-Nonce` (RFC 9449 §9). */
export const UseDpopNonceError: Make = refusal(
  'OAUTH_USE_DPOP_NONCE',
  'The DPoP proof must contain the nonce that this server provided',
  401,
)

/** 401: the user must authenticate again or with a stronger method (RFC 9470 §3). */
export const InsufficientUserAuthenticationError: Make = refusal(
  'OAUTH_INSUFFICIENT_USER_AUTHENTICATION',
  'The user must authenticate again or with a stronger method',
  401,
)

/** 403: the token is valid but lacks the required scopes or roles (RFC 6750 §3.1). */
export const InsufficientScopeError: Make = refusal(
  'OAUTH_INSUFFICIENT_SCOPE',
  'The access token does not have the required scope',
  403,
)

/** 503: the token cannot be verified, because the issuer or a store failed or did not respond. */
export const VerificationUnavailableError: Make = refusal(
  'OAUTH_VERIFICATION_UNAVAILABLE',
  'The access token cannot be verified right now',
  503,
)

/** Startup fails because an option is invalid. */
export const InvalidOptionError: Make<[string]> = createError(
  'OAUTH_INVALID_OPTION',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Startup fails because a route's `config.oauth` is invalid. */
export const InvalidRouteError: Make<[string]> = createError(
  'OAUTH_INVALID_ROUTE',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Startup fails because `prefetch` is `'required'` and the issuer's metadata or keys cannot be fetched. */
export const IssuerError: Make<[string]> = createError('OAUTH_ISSUER', 'fastify-resource-server: %s', 500)

/** `fastify.oauth.revoke` or `unrevoke` was called with invalid arguments, or the option `revocation` is not set. */
export const InvalidRevocationError: Make<[string]> = createError(
  'OAUTH_INVALID_REVOCATION',
  'fastify-resource-server: cannot revoke: %s',
  500,
  TypeError,
)

const RevocationFailed: Make<[string]> = createError(
  'OAUTH_REVOCATION_FAILED',
  'fastify-resource-server: cannot revoke: %s',
  503,
)

/**
 * `fastify.oauth.revoke` or `unrevoke` failed because of the revocation store, or because the maximum number of
 * revocations was reached.
 */
export class RevocationFailedError extends RevocationFailed {
  /** Whether the change has taken effect in this process despite the failure. */
  readonly isInEffectHere: boolean

  constructor(message: string, isInEffectHere: boolean) {
    super(message)
    this.isInEffectHere = isInEffectHere
  }
}

const GuardFailed: Make<[string]> = createError('OAUTH_GUARD_FAILED', '%s', 500)

/**
 * 500: access could not be checked, because one of the application's callbacks, this package or the plugin's
 * registration failed. The response has a fixed message. The original error is in `cause`, which is logged and is not
 * enumerable.
 */
export class GuardFailedError extends GuardFailed {
  /** @param cause the value that was thrown */
  constructor(cause: unknown, message: string = 'Access to this route could not be checked') {
    super(message)
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false })
  }
}

/** A more specific cause than the refusal reason. `explain` chooses its advice by this value. */
export type RefusalKind =
  | ConnectionProblem
  | 'too many requests'
  | 'no aud'
  | 'no exp'
  | 'duplicate member'
  | 'no alg'
  | 'invalid kid'
  | 'invalid typ'
  | 'unsupported header'
  | 'too long'

/** The optional properties of a refusal. */
export interface RefusalContext {
  readonly kind?: RefusalKind | undefined
  readonly issuer?: string | undefined
  readonly kid?: string | undefined
  /** How long the client should wait before it retries, in milliseconds. Only set for the reason `unavailable`. */
  readonly retryAfterMs?: number | undefined
  /** The token, if it was verified but then refused by a later check, such as for its scopes. */
  readonly token?: AccessToken | undefined
}

/**
 * The result of a check that a token failed. Refusals are returned, not thrown
 * (docs/decisions/refusals-are-results.md). The plugin converts them to public errors.
 */
export class Refusal implements RefusalDetails {
  readonly reason: RefusalReason
  readonly detail: string | undefined
  readonly kind: RefusalKind | undefined
  readonly issuer: string | undefined
  readonly kid: string | undefined
  readonly retryAfterMs: number | undefined
  readonly token: AccessToken | undefined

  constructor(reason: RefusalReason, detail?: string, context: RefusalContext = {}) {
    this.reason = reason
    this.detail = detail
    this.kind = context.kind
    this.issuer = context.issuer
    this.kid = context.kid
    this.retryAfterMs = context.retryAfterMs
    this.token = context.token
  }

  /** Returns a copy of the refusal with the token's issuer and key id. */
  about(issuer: string, kid: string | undefined): Refusal {
    const { reason, detail, kind, retryAfterMs, token } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }

  /** Returns a copy of the refusal with the verified token. */
  of(token: AccessToken): Refusal {
    const { reason, detail, kind, issuer, kid, retryAfterMs } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }
}
