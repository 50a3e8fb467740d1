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
  /** Synchronous unless the issuer has to be asked, or the signature is verified in the thread pool or for the first time with its key. */
  verify(raw: string): MaybePromise<Verification>
  /** The steps that verification takes with a token, in their order. */
  stepsFor(raw: string): readonly VerificationStep[]
}

const maxHeaders = 256

export function createTokenVerifier(
  chooseIssuer: ChooseIssuer,
  { introspect, ...steps }: VerifySteps,
): TokenVerifier {
  /** Decoded headers of tokens that verified: an issuer writes few different ones. */
  const headers = new Map<string, TokenHeader>()
  const jwtSteps = stepsForJwt({ ...steps, headers, chooseIssuer })
  const opaqueSteps = introspect === undefined ? undefined : stepsForOpaque(introspect)

  const stepsFor = (raw: string): readonly VerificationStep[] =>
    opaqueSteps === undefined || looksLikeJwt(raw) ? jwtSteps : opaqueSteps

  function accept(candidate: Candidate): Verification {
    if (candidate.introspected !== undefined) return { outcome: candidate.introspected }
    // Every step for a JWT has passed, and the last ones need the key.
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

/** Tells the log which issuer and key a refusal is about. */
function refuse(refusal: Refusal, candidate: Candidate): Verification {
  const { decoded, issuer } = candidate
  if (decoded === undefined || issuer === undefined) return { outcome: refusal }
  const outcome = refusal.about(issuer.rules.issuer, decoded.header.kid)
  return refusal.reason === 'expired'
    ? { outcome, validity: expiredFrom(decoded.claims, issuer) }
    : { outcome }
}

/** An expired token stays expired, unless the clock is set back. */
function expiredFrom(claims: Claims, { rules }: TrustedIssuer): Validity {
  return { from: lifetimeOf(claims, rules).usableUntil, until: Infinity }
}

/** Three segments (RFC 7515 §7.1). Whether they are those of a JWT is for `decodeToken` to tell. */
function looksLikeJwt(raw: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]*$/.test(raw)
}
