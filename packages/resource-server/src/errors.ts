import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { ConnectionProblem } from 'oauth-issuer-connection'
import type { AccessToken } from './access-token.js'

/** Why a token was refused. The reason is in the log and in events, but never in the response. */
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

/** The details of a refusal for the log. They contain no token and no raw header. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  /**
   * A sentence for the operator. It may quote claims of an unverified token: values are shortened, and tokens and
   * invisible characters are replaced.
   */
  readonly detail?: string | undefined
  readonly kid?: string | undefined
  readonly issuer?: string | undefined
}

/**
 * The error with which `fastify.oauth.verify` rejects. The details are not enumerable, so that they are not included in
 * a response.
 */
export type RefusedTokenError = Error &
  RefusalDetails & { readonly code: string; readonly statusCode: number }

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * Creates errors without a stack trace: the stack would not help the caller, and creating it is most of an error's cost.
 */
function refusal(code: string, message: string, statusCode: number): Make {
  return createError(code, message, statusCode, Error, false)
}

/** 400: the request has several credentials or malformed credentials (RFC 6750 §3.1). */
export const InvalidRequestError: Make = refusal(
  'OAUTH_INVALID_REQUEST',
  'The request must carry exactly one access token in the Authorization header',
  400,
)

/** 401: the request has no credentials. The challenge has no error code (RFC 6750 §3.1). */
export const MissingTokenError: Make = refusal('OAUTH_MISSING_TOKEN', 'An access token is required', 401)

/** 401: the token is expired, malformed, issued for another audience or otherwise invalid (RFC 6750 §3.1). */
export const InvalidTokenError: Make = refusal('OAUTH_INVALID_TOKEN', 'The access token is invalid', 401)

/** 401: the DPoP proof is missing or invalid, or was used before (RFC 9449 §7.1). */
export const InvalidDpopProofError: Make = refusal(
  'OAUTH_INVALID_DPOP_PROOF',
  'The DPoP proof is invalid',
  401,
)

/** 401: the DPoP proof must contain the nonce in the response header `DPoP-Nonce` (RFC 9449 §9). */
export const UseDpopNonceError: Make = refusal(
  'OAUTH_USE_DPOP_NONCE',
  'The DPoP proof must contain the nonce of this server',
  401,
)

/** 401: the user must authenticate again or with a stronger method (RFC 9470 §3). */
export const InsufficientUserAuthenticationError: Make = refusal(
  'OAUTH_INSUFFICIENT_USER_AUTHENTICATION',
  'The user must authenticate in a stronger way, or again',
  401,
)

/** 403: the token is valid but lacks the required scopes or roles (RFC 6750 §3.1). */
export const InsufficientScopeError: Make = refusal(
  'OAUTH_INSUFFICIENT_SCOPE',
  'The access token does not have the required scope',
  403,
)

/** 503: the token cannot be verified, because the issuer or a store does not respond. */
export const VerificationUnavailableError: Make = refusal(
  'OAUTH_VERIFICATION_UNAVAILABLE',
  'The access token cannot be verified right now',
  503,
)

/** At start: an option of `register` is invalid. */
export const InvalidOptionError: Make<[string]> = createError(
  'OAUTH_INVALID_OPTION',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** At start: the `config.oauth` of a route is invalid. */
export const InvalidRouteError: Make<[string]> = createError(
  'OAUTH_INVALID_ROUTE',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** At start, with `prefetch: 'required'`: the metadata or the keys of the issuer cannot be fetched. */
export const IssuerError: Make<[string]> = createError('OAUTH_ISSUER', 'fastify-resource-server: %s', 500)

/** `fastify.oauth.revoke` or `unrevoke` was called with invalid arguments or without the option `revocation`. */
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

/** `fastify.oauth.revoke` or `unrevoke` failed: the store failed, or the maximum number of revocations was reached. */
export class RevocationFailedError extends RevocationFailed {
  /** Whether the change is in effect in this process. */
  readonly isInEffectHere: boolean

  constructor(message: string, isInEffectHere: boolean) {
    super(message)
    this.isInEffectHere = isInEffectHere
  }
}

const GuardFailed: Make<[string]> = createError('OAUTH_GUARD_FAILED', '%s', 500)

/**
 * 500: a callback of the application or this package failed, or the registration of the plugin failed. The response has
 * a fixed message. `cause` is logged and is not enumerable.
 */
export class GuardFailedError extends GuardFailed {
  /** @param cause the value that was thrown */
  constructor(cause: unknown, message: string = 'Access to this route could not be checked') {
    super(message)
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false })
  }
}

/** Identifies the advice that `explain` gives, if it does not follow from the failed check. */
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

/** Further properties of a refusal. */
export interface RefusalContext {
  readonly kind?: RefusalKind | undefined
  readonly issuer?: string | undefined
  readonly kid?: string | undefined
  /** When the client can try again, in milliseconds. For the reason `unavailable`. */
  readonly retryAfterMs?: number | undefined
  /** The token, if it is verified and refused for another reason. */
  readonly token?: AccessToken | undefined
}

/**
 * The result of a check that refuses a token. Refusals are returned and never thrown
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

  /** Returns a copy with the issuer and the key id of the token. */
  about(issuer: string, kid: string | undefined): Refusal {
    const { reason, detail, kind, retryAfterMs, token } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }

  /** Returns a copy with the verified token. */
  of(token: AccessToken): Refusal {
    const { reason, detail, kind, issuer, kid, retryAfterMs } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }
}
