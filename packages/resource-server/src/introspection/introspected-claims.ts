import { Refusal } from '../errors.js'
import { checkKind, checkPresence, type ClaimRules } from '../claims/check-claims.js'
import { checkValues } from '../claims/claim-checks.js'
import type { Claims } from '../claims/profiles.js'

/** Claims of an introspection response that RFC 7662 §2.2 makes optional, and without which a token may be accepted. */
export const omittableClaims = ['aud', 'exp'] as const

export type OmittableClaim = (typeof omittableClaims)[number]

/** What introspection responses are checked against. */
export interface IntrospectionRules {
  readonly claims: ClaimRules
  /** The claims that the option `requiredClaims` names. */
  readonly requiredClaims: readonly string[]
  readonly acceptWithout: readonly OmittableClaim[]
  /** Stands in for a missing `exp`, in milliseconds: the answer counts for no longer than this. */
  readonly cacheMs: number
}

/** Response without null members: they are absent (RFC 7662 §2.2 has no null). */
export function presentClaims(response: Claims): Claims {
  return Object.fromEntries(Object.entries(response).filter(([, value]) => value !== null))
}

/**
 * Checks what an issuer says about an opaque token; the same checks as for a JWT, except that the issuer vouches for
 * the signature. `now` in milliseconds.
 * @returns the first rule that does not hold
 */
export function checkIntrospectedClaims(
  claims: Claims,
  rules: IntrospectionRules,
  now: number,
): Refusal | undefined {
  return (
    checkTokenKind(claims) ??
    checkKind(claims, rules.claims.profile) ??
    checkOptional(claims, rules) ??
    checkPresence(claims, [['iss'], ...rules.requiredClaims.map(claim => [claim])]) ??
    checkValues(withStandIns(claims, rules, now), rules.claims, now)
  )
}

/** Claims with a value in place of each one that the operator accepts to be missing. For checks only. */
export function withStandIns(claims: Claims, rules: IntrospectionRules, now: number): Claims {
  const { audiences, profile } = rules.claims
  return {
    ...(rules.acceptWithout.includes('aud') ? { [profile.audience]: audiences } : {}),
    ...(rules.acceptWithout.includes('exp') ? { exp: (now + rules.cacheMs) / 1000 } : {}),
    ...claims,
  }
}

function checkOptional(claims: Claims, { claims: { profile }, acceptWithout }: IntrospectionRules) {
  for (const name of omittableClaims) {
    const claim = name === 'aud' ? profile.audience : name
    if (claims[claim] === undefined && !acceptWithout.includes(name))
      return new Refusal(
        'claim',
        `the introspection response has no ${claim}, which is optional there (RFC 7662 §2.2); to accept such tokens, set introspection.acceptWithout: ['${name}']`,
      )
  }
  return undefined
}

/** Claim → the values, in lower case, that access tokens have in it. Servers answer for their other tokens too. */
const accessTokenKinds: Readonly<Record<string, readonly string[]>> = {
  // RFC 7662 §2.2, RFC 6749 §7.1, RFC 9449 §5
  token_type: ['bearer', 'dpop', 'access_token', 'urn:ietf:params:oauth:token-type:access_token'],
  // Ory Hydra, Amazon Cognito
  token_use: ['access', 'access_token'],
  // Keycloak, and the header of RFC 9068 where a server copies it
  typ: ['bearer', 'dpop', 'access', 'access_token', 'at+jwt', 'application/at+jwt', 'jwt'],
}

function checkTokenKind(claims: Claims): Refusal | undefined {
  for (const [claim, kinds] of Object.entries(accessTokenKinds)) {
    const { [claim]: value } = claims
    if (value !== undefined && !(typeof value === 'string' && kinds.includes(value.toLowerCase())))
      return new Refusal('type', `${claim} in the introspection response does not name an access token`)
  }
  return undefined
}
