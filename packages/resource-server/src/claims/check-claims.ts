import { Refusal } from '../errors.js'
import { showValue } from '../show-value.js'
import type { TimeRules } from './check-times.js'
import { malformedNames } from './claim-names.js'
import { isTemplate, issuerOfTenant } from './issuer-template.js'
import type { Claims, Profile } from './profiles.js'

/** The rules for the claims in one issuer's tokens. */
export interface ClaimRules extends TimeRules {
  readonly issuer: string
  readonly profile: Profile
  readonly audiences: readonly string[]
  readonly types: readonly (string | null)[]
  /** The required claims. A token must contain at least one claim from each inner list. */
  readonly required: readonly (readonly string[])[]
}

/** The decoded header and claims of a token. */
export interface ReadToken {
  /** The header parameter `typ`, in lower case and without `application/`. Null if `typ` is absent. */
  readonly header: { readonly type: string | null }
  readonly claims: Claims
}

type ClaimType = 'string' | 'time' | 'strings'

/**
 * The expected type of each claim. The type is checked whenever the claim is present, even if the claim is optional.
 */
const claimTypes: Readonly<Record<string, ClaimType>> = {
  iss: 'string',
  sub: 'string',
  aud: 'strings',
  exp: 'time',
  iat: 'time',
  nbf: 'time',
  jti: 'string',
  client_id: 'string',
  azp: 'string',
  appid: 'string',
  cid: 'string',
  token_use: 'string',
}

/** The largest time that a JavaScript Date can represent, in seconds. */
const maxTime = 8_640_000_000_000

const isType: Readonly<Record<ClaimType, (value: unknown) => boolean>> = {
  string: value => typeof value === 'string' && value !== '',
  time: value => typeof value === 'number' && value >= 0 && value <= maxTime,
  strings: value =>
    Array.isArray(value)
      ? value.length > 0 && value.every(member => typeof member === 'string' && member !== '')
      : typeof value === 'string' && value !== '',
}

export const typedClaims: readonly { readonly claim: string; readonly fits: (value: unknown) => boolean }[] =
  Object.entries(claimTypes).map(([claim, type]) => ({ claim, fits: isType[type] }))

/** Checks the types of the registered claims, and of claims that contain scopes, roles or groups. */
export function checkTypes(claims: Claims, rules: ClaimRules): Refusal | undefined {
  for (const { claim, fits } of typedClaims) {
    const value = claims[claim]
    if (value !== undefined && !fits(value))
      return new Refusal('claim', `the claim ${claim} has the wrong type`)
  }
  const malformed = malformedNames(claims, rules)
  return malformed === undefined
    ? undefined
    : new Refusal(
        'claim',
        `the claim ${malformed} has the wrong type; expected a string or a list of strings`,
      )
}

/** @param type the header parameter `typ` */
export function checkType(type: string | null, { types }: ClaimRules): Refusal | undefined {
  return types.includes(type)
    ? undefined
    : new Refusal(
        'type',
        `typ is ${showValue(type)}; expected ${types.map(name => name ?? 'none').join(' or ')} (is the option \`profile\` correct for this issuer?)`,
      )
}

/** Checks that the token is an access token, not an ID, refresh or logout token. */
export function checkKind(claims: Claims, profile: Profile): Refusal | undefined {
  for (const [claim, values] of profile.fixed)
    if (!values.includes(claims[claim] as string))
      return new Refusal(
        'type',
        `the claim ${claim} is ${showValue(claims[claim])}; expected ${values.join(' or ')}`,
      )
  // OpenID Connect Back-Channel Logout 1.0 §2.4: a token with the claim `events` is a logout token.
  return claims['events'] === undefined
    ? undefined
    : new Refusal('type', 'the token has the claim `events`, so it is not an access token')
}

export function checkPresence(claims: Claims, required: ClaimRules['required']): Refusal | undefined {
  for (const names of required) {
    // A token without a required claim is refused. Otherwise, the check of the claim could be bypassed by omitting the claim (RFC 8725 §3.8).
    if (!names.some(name => Object.hasOwn(claims, name) && claims[name] !== null))
      return new Refusal('claim', `the claim ${names.join(' or ')} is missing`)
  }
  return undefined
}

/**
 * Checks the `iss` claim. In an issuer template such as `https://login.microsoftonline.com/{tenantid}/v2.0`,
 * `{tenantid}` stands for the value of the `tid` claim.
 */
export function checkIssuer(claims: Claims, { issuer }: ClaimRules): Refusal | undefined {
  const expected = isTemplate(issuer) ? issuerOfTenant(issuer, claims['tid']) : issuer
  return claims['iss'] === expected
    ? undefined
    : new Refusal('issuer', `iss is ${showValue(claims['iss'])}; expected ${issuer}`)
}

/**
 * Returns whether a key may sign tokens with these claims. In the JWKS of a multi-tenant issuer, a key can have the
 * member `issuer`, which restricts the key to one tenant (Microsoft identity platform, "Validate the signing key
 * issuer").
 */
export function isKeyOfIssuer(
  keyIssuer: string | undefined,
  claims: Claims,
  { issuer }: ClaimRules,
): boolean {
  if (keyIssuer === undefined || !isTemplate(issuer)) return true
  return isTemplate(keyIssuer) || keyIssuer === claims['iss']
}

export function checkAudience(claims: Claims, { profile, audiences }: ClaimRules): Refusal | undefined {
  const value = claims[profile.audience]
  const named = Array.isArray(value) ? value : [value]
  return named.some(audience => audiences.includes(audience as string))
    ? undefined
    : new Refusal(
        'audience',
        `${profile.audience} is ${showValue(value)}; expected ${audiences.join(' or ')}`,
      )
}
