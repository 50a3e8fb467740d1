import { lifetimeOf } from '../claims/check-times.js'
import type { Claims } from '../claims/profiles.js'
import { readAccessToken } from '../claims/read-access-token.js'
import type { Refusal } from '../errors.js'
import type { MaybePromise } from '../later.js'
import {
  candidateFor,
  type Candidate,
  type Keyed,
  type TrustedIssuer,
  type VerificationStep,
} from './candidate.js'
import type { ChooseIssuer } from './choose-issuer.js'
import type { TokenHeader } from './decode-token.js'
import type { Validity, Verification } from './token-cache.js'
import { stepsForJwt, stepsForOpaque, type VerifySteps } from './verification-steps.js'

/** Verifies access tokens. */
export interface TokenVerifier {
  /**
   * Verifies a token. The result is a promise only if the plugin must send a request to the issuer, if the thread pool
   * verifies the signature, or if the key has not verified a signature before, because @fastify/jwt must then verify
   * the signature too.
   */
  verify(raw: string): MaybePromise<Verification>
  /** Returns the verification steps for a token, in the order in which they run. */
  stepsFor(raw: string): readonly VerificationStep[]
}

const maxHeaders = 256

export function createTokenVerifier(
  chooseIssuer: ChooseIssuer,
  { introspect, ...steps }: VerifySteps,
): TokenVerifier {
  /** Caches the decoded headers of verified tokens, because most tokens from an issuer have the same header. */
  const headers = new Map<string, TokenHeader>()
  const jwtSteps = stepsForJwt({ ...steps, headers, chooseIssuer })
  const opaqueSteps = introspect === undefined ? undefined : stepsForOpaque(introspect)

  const stepsFor = (raw: string): readonly VerificationStep[] =>
    opaqueSteps === undefined || looksLikeJwt(raw) ? jwtSteps : opaqueSteps

  function accept(candidate: Candidate): Verification {
    if (candidate.introspected !== undefined) return { outcome: candidate.introspected }
    const { decoded, issuer, key } = candidate as Keyed
    const { header, headerSegment, claims } = decoded
    if (!headers.has(headerSegment)) {
      if (headers.size >= maxHeaders) headers.clear()
      headers.set(headerSegment, header)
    }
    const { usableFrom, usableUntil } = lifetimeOf(claims, issuer.rules)
    const validity = { from: usableFrom, until: usableUntil, signedBy: { key, keys: issuer.keys } }
    return { outcome: readAccessToken(claims, issuer.rules), validity }
  }

  return {
    stepsFor,
    verify(raw) {
      const candidate = candidateFor(raw, 'verify')
      const conclude = (refusal: Refusal | undefined): Verification =>
        refusal === undefined ? accept(candidate) : refuse(refusal, candidate)
      const refusal = runSteps(stepsFor(raw), candidate)
      return refusal instanceof Promise ? refusal.then(conclude) : conclude(refusal)
    },
  }
}

/** @returns the first refusal */
function runSteps(
  steps: readonly VerificationStep[],
  candidate: Candidate,
  first = 0,
): MaybePromise<Refusal | undefined> {
  for (let index = first; index < steps.length; index += 1) {
    const refusal = steps[index]?.run(candidate)
    if (refusal instanceof Promise)
      return refusal.then(refused => refused ?? runSteps(steps, candidate, index + 1))
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/**
 * Returns the result for a refused token. The issuer and the key id are added to the refusal, so that they can be
 * logged.
 */
function refuse(refusal: Refusal, candidate: Candidate): Verification {
  const { decoded, issuer } = candidate
  if (decoded === undefined || issuer === undefined) return { outcome: refusal }
  const outcome = refusal.about(issuer.rules.issuer, decoded.header.kid)
  return refusal.reason === 'expired'
    ? { outcome, validity: expiredFrom(decoded.claims, issuer) }
    : { outcome }
}

/**
 * Returns the period for which the cached result "expired" is valid. If the clock is set back to before the token
 * expired, the result is no longer used.
 */
function expiredFrom(claims: Claims, { rules }: TrustedIssuer): Validity {
  return { from: lifetimeOf(claims, rules).usableUntil, until: Infinity }
}

/** Returns whether a token has three segments (RFC 7515 §7.1). `decodeToken` checks whether they form a JWT. */
function looksLikeJwt(raw: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]*$/.test(raw)
}
