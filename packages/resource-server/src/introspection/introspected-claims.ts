import { Refusal } from '../errors.js'
import { checkKind, checkPresence, type ClaimRules } from '../claims/check-claims.js'
import { checkValues } from '../claims/claim-checks.js'
import type { Claims } from '../claims/profiles.js'

/**
 * The claims that can be listed in the option `acceptWithout`. They are optional in introspection responses (RFC 7662
 * §2.2).
 */
export const omittableClaims = ['aud', 'exp'] as const

export type OmittableClaim = (typeof omittableClaims)[number]

/** The rules for checking introspection responses. */
export interface IntrospectionRules {
  readonly claims: ClaimRules
  /** The claims in the option `requiredClaims`. */
  readonly requiredClaims: readonly string[]
  readonly acceptWithout: readonly OmittableClaim[]
  /** How long a response without `exp` is valid, in milliseconds. */
  readonly cacheMs: number
}

/** Removes all members that are null from a response, because null counts as absent. */
export function presentClaims(response: Claims): Claims {
  return Object.fromEntries(Object.entries(response).filter(([, value]) => value !== null))
}

/**
 * Checks the members of an introspection response in the same way as the claims of a JWT. The time `now` is in
 * milliseconds since the epoch.
 * @returns the refusal of the first failed check, or undefined if all checks pass
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

/**
 * Adds placeholder values for the missing claims that are listed in the option `acceptWithout`, so that later checks do
 * not refuse the token.
 */
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
        `the introspection response has no ${claim}, which RFC 7662 §2.2 makes optional; to accept such responses, set introspection.acceptWithout: ['${name}']`,
        { kind: `no ${name}` },
      )
  }
  return undefined
}

/**
 * The values of `token_type`, `token_use` and `typ` that identify access tokens, in lower case. Servers also report
 * other kinds of tokens as active, such as refresh tokens.
 */
const accessTokenKinds: Readonly<Record<string, readonly string[]>> = {
  // `token_type` is defined in RFC 7662 §2.2, RFC 6749 §7.1 and RFC 9449 §5.
  token_type: ['bearer', 'dpop', 'access_token', 'urn:ietf:params:oauth:token-type:access_token'],
  // `token_use` is set by Ory Hydra and Amazon Cognito.
  token_use: ['access', 'access_token'],
  // `typ` is set by Keycloak, and by servers that copy the header parameter of the same name (RFC 9068).
  typ: ['bearer', 'dpop', 'access', 'access_token', 'at+jwt', 'application/at+jwt', 'jwt'],
}

function checkTokenKind(claims: Claims): Refusal | undefined {
  for (const [claim, kinds] of Object.entries(accessTokenKinds)) {
    const { [claim]: value } = claims
    if (value !== undefined && !(typeof value === 'string' && kinds.includes(value.toLowerCase())))
      return new Refusal(
        'type',
        `the token is not an access token, according to ${claim} in the introspection response`,
      )
  }
  return undefined
}
