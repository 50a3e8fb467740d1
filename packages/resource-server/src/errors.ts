import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { ConnectionProblem } from 'oauth-issuer-connection'
import type { AccessToken } from './access-token.js'

/** The reason why a token was refused. The log and the events contain the reason, but the response never does. */
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

/** The details of a refusal for the log. The details never contain a token or a complete header. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  /**
   * A description of the problem for operators. The description may quote claims from an unverified token. Quoted
   * values are truncated, and any tokens and invisible characters in these values are replaced.
   */
  readonly detail?: string | undefined
  readonly kid?: string | undefined
  readonly issuer?: string | undefined
}

/**
 * The error with which `fastify.oauth.verify` rejects. The details of the refusal are non-enumerable properties, so
 * that they do not appear in responses.
 */
export type RefusedTokenError = Error &
  RefusalDetails & { readonly code: string; readonly statusCode: number }

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * Creates a class of errors without stack traces. A stack trace would not help the caller, and capturing it is the
 * slowest part of creating an error.
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

/** 401: the request has no access token. The challenge therefore contains no error code (RFC 6750 §3.1). */
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

/** Thrown if an option is invalid. The plugin or the verifier then refuses to start. */
export const InvalidOptionError: Make<[string]> = createError(
  'OAUTH_INVALID_OPTION',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Thrown if a route's `config.oauth` is invalid, or if an invalid rule is passed to `authenticate` or `explain`. */
export const InvalidRouteError: Make<[string]> = createError(
  'OAUTH_INVALID_ROUTE',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Thrown at startup if `prefetch` is `'required'` and the issuer's metadata or keys cannot be fetched. */
export const IssuerError: Make<[string]> = createError('OAUTH_ISSUER', 'fastify-resource-server: %s', 500)

/** Thrown by `fastify.oauth.revoke` and `unrevoke` if an argument is invalid or the option `revocation` is not set. */
export const InvalidRevocationError: Make<[string]> = createError(
  'OAUTH_INVALID_REVOCATION',
  'fastify-resource-server: cannot change the revocation list: %s',
  500,
  TypeError,
)

const RevocationFailed: Make<[string]> = createError(
  'OAUTH_REVOCATION_FAILED',
  'fastify-resource-server: cannot change the revocation list: %s',
  503,
)

/**
 * Thrown by `fastify.oauth.revoke` and `unrevoke` if the revocation store fails, or if the maximum number of
 * revocations has been reached.
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
 * 500: access could not be checked because of a failure in this package, in one of the application's callbacks or
 * during the registration of the plugin. The response contains only a fixed message. The original error is logged, and
 * is available in the property `cause`, which is not enumerable.
 */
export class GuardFailedError extends GuardFailed {
  /** @param cause the error, or other value, that the failing code threw */
  constructor(cause: unknown, message: string = 'Access to this route could not be checked') {
    super(message)
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false })
  }
}

/** The cause of a refusal, more specific than the reason in the log. It determines which advice `explain` gives. */
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
  /** How long the client should wait before it retries, in milliseconds. Set only for the reason `unavailable`. */
  readonly retryAfterMs?: number | undefined
  /** The token, if it was verified but failed a later check, such as the check of its scopes. */
  readonly token?: AccessToken | undefined
}

/**
 * The result of a failed check. Refusals are returned, not thrown (docs/decisions/refusals-are-results.md), and the
 * plugin converts them to public errors.
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

  /** Returns a copy of this refusal with the token's issuer and key id. */
  about(issuer: string, kid: string | undefined): Refusal {
    const { reason, detail, kind, retryAfterMs, token } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }

  /** Returns a copy of this refusal with the verified token. */
  of(token: AccessToken): Refusal {
    const { reason, detail, kind, issuer, kid, retryAfterMs } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }
}
