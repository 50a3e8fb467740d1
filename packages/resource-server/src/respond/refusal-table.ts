import {
  InsufficientScopeError,
  InsufficientUserAuthenticationError,
  InvalidDpopProofError,
  InvalidRequestError,
  InvalidTokenError,
  MissingTokenError,
  UseDpopNonceError,
  VerificationUnavailableError,
  type RefusalReason,
} from '../errors.js'

/** The error that the application receives for a refusal. */
export type RefusalError = Error & { readonly code: string; readonly statusCode: number }

/** The `error` parameter of a `WWW-Authenticate` header (RFC 6750 §3.1, RFC 9449 §7.1 and §9, RFC 9470 §3). */
type ChallengeError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'

/** How the plugin responds to a refusal. */
export interface RefusalRow {
  /** Creates the public error, which has a status, a code and a message. */
  readonly createError: () => RefusalError
  /**
   * The `error` parameter of the challenge. `bare` means that the challenge has no `error` (RFC 6750 §3.1), and `none`
   * means that the response has no challenge.
   */
  readonly challenge: ChallengeError | 'bare' | 'none'
  /** The message of the error, which is also the `error_description` of the challenge. */
  readonly message: string
}

function row(PublicError: new () => RefusalError, challenge: RefusalRow['challenge']): RefusalRow {
  const { message } = new PublicError()
  return Object.freeze({ createError: () => new PublicError(), challenge, message })
}

const invalidToken = row(InvalidTokenError, 'invalid_token')

/** The plugin's responses to refusals, keyed by refusal reason. */
export const refusalTable: Readonly<Record<RefusalReason, RefusalRow>> = Object.freeze({
  missing: row(MissingTokenError, 'bare'),
  credentials: row(InvalidRequestError, 'invalid_request'),
  malformed: invalidToken,
  algorithm: invalidToken,
  unknown_key: invalidToken,
  signature: invalidToken,
  issuer: invalidToken,
  type: invalidToken,
  claim: invalidToken,
  audience: invalidToken,
  expired: invalidToken,
  not_yet_valid: invalidToken,
  scope: row(InsufficientScopeError, 'insufficient_scope'),
  inactive: invalidToken,
  revoked: invalidToken,
  binding: invalidToken,
  proof: row(InvalidDpopProofError, 'invalid_dpop_proof'),
  nonce: row(UseDpopNonceError, 'use_dpop_nonce'),
  authentication: row(InsufficientUserAuthenticationError, 'insufficient_user_authentication'),
  unavailable: row(VerificationUnavailableError, 'none'),
})
