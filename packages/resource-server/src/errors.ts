import createError, { type FastifyErrorConstructor } from '@fastify/error'
import type { ConnectionProblem } from 'oauth-issuer-connection'
import type { AccessToken } from './access-token.js'

/** Why a token was refused: in the log and in events, never in the answer. */
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

/** What the log may know of a refused request: no token, no raw header. */
export interface RefusalDetails {
  readonly reason: RefusalReason
  /** A sentence for the operator. It may quote claims of an unverified token: shortened, and without tokens and invisible characters. */
  readonly detail?: string | undefined
  readonly kid?: string | undefined
  readonly issuer?: string | undefined
}

/**
 * What `fastify.oauth.verify` rejects with. The details are for the code that called it: they are not enumerable, so no
 * answer contains them.
 */
export type RefusedTokenError = Error &
  RefusalDetails & { readonly code: string; readonly statusCode: number }

type Make<Arguments extends unknown[] = []> = FastifyErrorConstructor<
  { code: string; statusCode: number },
  Arguments
>

/**
 * The caller's mistake has no place in our code to point at, and a stack trace is most of what an error costs: these have
 * none.
 */
function refusal(code: string, message: string, statusCode: number): Make {
  return createError(code, message, statusCode, Error, false)
}

/** 400: the request is no valid use of bearer tokens: several credentials, or none that can be read (RFC 6750 §3.1). */
export const InvalidRequestError: Make = refusal(
  'OAUTH_INVALID_REQUEST',
  'The request must carry exactly one access token in the Authorization header',
  400,
)

/** 401: no credentials at all; the answer is a bare challenge (RFC 6750 §3.1). */
export const MissingTokenError: Make = refusal('OAUTH_MISSING_TOKEN', 'An access token is required', 401)

/** 401: the token is expired, malformed, for somebody else, or otherwise invalid (RFC 6750 §3.1). */
export const InvalidTokenError: Make = refusal('OAUTH_INVALID_TOKEN', 'The access token is invalid', 401)

/** 401: the DPoP proof is missing, wrong, or was used before (RFC 9449 §7.1). */
export const InvalidDpopProofError: Make = refusal(
  'OAUTH_INVALID_DPOP_PROOF',
  'The DPoP proof is invalid',
  401,
)

/** 401: the DPoP proof has to hold the nonce that comes with the answer (RFC 9449 §9). */
export const UseDpopNonceError: Make = refusal(
  'OAUTH_USE_DPOP_NONCE',
  'The DPoP proof must contain the nonce of this server',
  401,
)

/** 401: the user has to authenticate in a stronger way, or again (RFC 9470 §3). */
export const InsufficientUserAuthenticationError: Make = refusal(
  'OAUTH_INSUFFICIENT_USER_AUTHENTICATION',
  'The user must authenticate in a stronger way, or again',
  401,
)

/** 403: the token is valid and does not allow this (RFC 6750 §3.1). */
export const InsufficientScopeError: Make = refusal(
  'OAUTH_INSUFFICIENT_SCOPE',
  'The access token does not have the required scope',
  403,
)

/** 503: the issuer or the replay store cannot be asked now, so the token is neither accepted nor found invalid. */
export const VerificationUnavailableError: Make = refusal(
  'OAUTH_VERIFICATION_UNAVAILABLE',
  'The access token cannot be verified right now',
  503,
)

/** Boot: an option of `register` is wrong. */
export const InvalidOptionError: Make<[string]> = createError(
  'OAUTH_INVALID_OPTION',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Boot: a route's `config.oauth` is wrong. */
export const InvalidRouteError: Make<[string]> = createError(
  'OAUTH_INVALID_ROUTE',
  'fastify-resource-server: %s',
  500,
  TypeError,
)

/** Boot, with `prefetch: 'required'`: the issuer's metadata or keys cannot be used. */
export const IssuerError: Make<[string]> = createError('OAUTH_ISSUER', 'fastify-resource-server: %s', 500)

/** `fastify.oauth.revoke` or `unrevoke` was called with wrong arguments, or without the option `revocation`. */
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

/** `fastify.oauth.revoke` or `unrevoke` did not take effect everywhere: the store failed, or there is no room. */
export class RevocationFailedError extends RevocationFailed {
  /** Whether this process refuses the tokens (or, after `unrevoke`, accepts them) all the same. */
  readonly isInEffectHere: boolean

  constructor(message: string, isInEffectHere: boolean) {
    super(message)
    this.isInEffectHere = isInEffectHere
  }
}

const GuardFailed: Make<[string]> = createError('OAUTH_GUARD_FAILED', '%s', 500)

/**
 * 500: a callback of the application, or this package, has a fault, or the registration of the plugin failed. Callers see
 * the fixed message only; `cause` is in the log and is not enumerable.
 */
export class GuardFailedError extends GuardFailed {
  /** @param cause whatever was thrown */
  constructor(cause: unknown, message: string = 'Access to this route could not be checked') {
    super(message)
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false })
  }
}

/** What is wrong, if the reason does not determine the advice of `explain`. */
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

/** What a refusal knows besides its reason. */
export interface RefusalContext {
  readonly kind?: RefusalKind | undefined
  readonly issuer?: string | undefined
  readonly kid?: string | undefined
  /** With the reason `unavailable`: when to try again, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** The token, if it was verified and is refused for something else. */
  readonly token?: AccessToken | undefined
}

/**
 * What a step returns when it refuses a token. It is a result and never thrown (docs/decisions/refusals-are-results.md).
 * The plugin turns it into the public error.
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

  /** The same refusal with the issuer and the key id that the token names. */
  about(issuer: string, kid: string | undefined): Refusal {
    const { reason, detail, kind, retryAfterMs, token } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }

  /** The same refusal of a token that was verified. */
  of(token: AccessToken): Refusal {
    const { reason, detail, kind, issuer, kid, retryAfterMs } = this
    return new Refusal(reason, detail, { kind, issuer, kid, retryAfterMs, token })
  }
}
