import { claimChecks } from '../claims/claim-checks.js'
import type { ClaimRules } from '../claims/check-claims.js'
import { profiles, requiredBy, type Claims, type ProfileName } from '../claims/profiles.js'
import type { DecodedToken } from '../verify/decode-token.js'

/** A vendor, such as Auth0 or Okta, that was recognized from a token. */
export interface RecognizedIssuer {
  readonly vendor: string
  readonly profile: ProfileName
  /** Why the token does not conform to the profile, or undefined if it does. */
  readonly misfit: string | undefined
}

interface Vendor {
  readonly vendor: string
  readonly profile: ProfileName
  readonly issuer: RegExp
  /**
   * Returns whether the claims are typical of the vendor. This is how a vendor is recognized when its issuer URL has a
   * custom domain.
   */
  readonly knownBy: (claims: Claims) => boolean
}

const vendors: readonly Vendor[] = [
  {
    vendor: 'Microsoft Entra ID',
    profile: 'entra',
    issuer:
      /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net|[\w-]+\.(?:b2clogin|ciamlogin)\.com)\//,
    knownBy: ({ ver, tid, oid, appid, azpacr }) =>
      (ver === '1.0' || ver === '2.0') && [tid, oid, appid, azpacr].some(isPresent),
  },
  {
    vendor: 'Amazon Cognito',
    profile: 'cognito',
    issuer: /^https:\/\/cognito-idp\.[\w-]+\.amazonaws\.com(?:\.cn)?\//,
    knownBy: ({ token_use: use, client_id: client, aud }) =>
      isPresent(use) && (isPresent(client) || isPresent(aud)),
  },
  {
    vendor: 'Auth0',
    profile: 'auth0',
    issuer: /^https:\/\/[\w.-]+\.auth0(?:app)?\.com\//,
    knownBy: ({ gty, sub, permissions, azp }) =>
      (typeof sub === 'string' && sub.endsWith('@clients')) ||
      gty === 'client-credentials' ||
      (Array.isArray(permissions) && isPresent(azp)),
  },
  {
    vendor: 'Okta',
    profile: 'okta',
    issuer: /^https:\/\/[\w.-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:\/|$)/,
    knownBy: ({ cid, scp, ver }) => isPresent(cid) && (Array.isArray(scp) || ver === 1),
  },
  {
    vendor: 'Keycloak',
    profile: 'keycloak',
    issuer: /^https?:\/\/[^/]+(?:\/[\w-]+)*\/realms\/[^/]+$/,
    knownBy: ({ typ, realm_access: realm, resource_access: resource }) =>
      ['Bearer', 'DPoP', 'ID', 'Refresh', 'Offline'].includes(typ as string) ||
      isPresent(realm) ||
      isPresent(resource),
  },
]

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Recognizes the vendor and the profile of a token's issuer by the URL in `iss` or by typical claims. */
export function recognizeIssuer(decoded: DecodedToken, rules: ClaimRules): RecognizedIssuer | undefined {
  const { claims } = decoded
  const { iss } = claims
  const known =
    vendors.find(({ issuer }) => typeof iss === 'string' && issuer.test(iss)) ??
    vendors.find(({ knownBy }) => knownBy(claims))
  if (known !== undefined) {
    const { vendor, profile } = known
    return { vendor, profile, misfit: misfitOf(decoded, profile, rules) }
  }
  const profile = (['rfc9068', 'generic'] as const).find(name => misfitOf(decoded, name, rules) === undefined)
  return profile && { vendor: 'an unrecognized vendor', profile, misfit: undefined }
}

/** Runs all profile-specific checks with the given profile, and returns the description of the first failure. */
function misfitOf(decoded: DecodedToken, name: ProfileName, rules: ClaimRules): string | undefined {
  const profile = profiles[name]
  const others = { ...rules, profile, types: profile.types, required: requiredBy(profile, []) }
  for (const { option, check } of claimChecks) {
    const refusal = option.startsWith('profile') ? check(decoded, others, 0) : undefined
    if (refusal !== undefined) return refusal.detail
  }
  return undefined
}
