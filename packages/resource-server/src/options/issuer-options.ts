import { InvalidOptionError } from '../errors.js'
import type { ClaimRules } from '../claims/check-claims.js'
import type { IntrospectionSettings } from '../verify/introspect-token.js'
import { profiles, type ProfileName } from '../claims/profiles.js'
import { supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import type { Jwk } from '../keys/public-key.js'
import { parseIntrospection, type IntrospectionOptions } from './introspection-options.js'
import {
  isObject,
  refuseUnknown,
  refuseUntrustworthy,
  strings,
  url,
  wrong,
  type Given,
} from './read-option.js'

/** One issuer whose tokens are accepted. */
export interface IssuerOptions {
  /**
   * The issuer identifier, exactly as in the tokens' `iss` (RFC 8414 §2): https, or http on this machine.
   * `{tenantid}` in it stands for the token's own `tid` (multi-tenant Entra ID); give `metadataUrl` or `jwksUri` then.
   */
  issuer: string
  /** Whom the token has to be for: `aud` (RFC 7519 §4.1.3). Several: any of them. With the profile `cognito`, the client ids. */
  audience: string | readonly string[]
  /** How the issuer writes its access tokens. Default `rfc9068`. */
  profile?: ProfileName
  /** Where the keys are (RFC 7517 §5). Default: discovered from the issuer's metadata. */
  jwksUri?: string
  /** Where the metadata is, when not at the issuer's well-known places. */
  metadataUrl?: string
  /** The keys themselves, for tests and for issuers without a JWKS endpoint; nothing is fetched then. */
  keys?: readonly Jwk[]
  /** Signature algorithms that are accepted (RFC 8725 §3.1). Default: every asymmetric one; a key decides which fit it. */
  algorithms?: readonly Algorithm[]
  /** Claims that have to be present, besides those of the profile. */
  requiredClaims?: readonly string[]
  /** Ask this issuer about tokens that are no JWTs (RFC 7662). Default: they are refused. */
  introspection?: IntrospectionOptions
}

/** One issuer after its options were checked. */
export interface IssuerSettings {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: readonly Jwk[] | undefined
  readonly jwksUri: string | undefined
  readonly metadataUrl: string | undefined
  readonly introspection: IntrospectionSettings | undefined
}

export const issuerOptions: readonly string[] = [
  'issuer',
  'audience',
  'profile',
  'jwksUri',
  'metadataUrl',
  'keys',
  'algorithms',
  'requiredClaims',
  'introspection',
]
/** What counts for each issuer. Times in milliseconds. */
export interface SharedRules {
  readonly allowInsecureHttp: boolean
  readonly clockToleranceMs: number
  readonly maxTokenAgeMs: number
}

/** Checks the issuers: one at the top level, or several in `issuers`. @throws {InvalidOptionError} */
export function parseIssuers(given: Given, shared: SharedRules): readonly IssuerSettings[] {
  const issuers = listIssuers(given).map(([issuer, at]) => parseIssuer(issuer, at, shared))
  refuseRepeatedIssuers(issuers)
  // An opaque token does not say whose it is, and no other issuer has to see it.
  if (issuers.length > 1 && issuers.some(({ introspection }) => introspection !== undefined))
    throw new InvalidOptionError(
      'option `introspection` is for a single issuer: an opaque token does not tell which of several it is from',
    )
  return issuers
}

function listIssuers(given: Given): [Given, string][] {
  const { issuers } = given
  if (issuers === undefined) return [[given, '']]
  for (const name of issuerOptions)
    if (given[name] !== undefined)
      throw wrong(
        name,
        given[name],
        'to be inside `issuers`, or no `issuers`: the two ways exclude each other',
      )
  if (!Array.isArray(issuers) || issuers.length === 0)
    throw wrong('issuers', issuers, "a list such as [{ issuer: 'https://…', audience: '…' }]")
  return issuers.map((issuer: unknown, index) => {
    const at = `issuers[${index}].`
    if (!isObject(issuer))
      throw wrong(`issuers[${index}]`, issuer, "an object such as { issuer: 'https://…', audience: '…' }")
    refuseUnknown(issuer, issuerOptions, at)
    return [issuer, at]
  })
}

function parseIssuer(given: Given, at: string, shared: SharedRules): IssuerSettings {
  const issuer = issuerIdentifier(given, at, shared.allowInsecureHttp)
  const profile = profiles[profileName(given, at)]
  const required = ['iss', 'exp', ...profile.required, ...(strings(given, 'requiredClaims', at) ?? [])]
  const jwksUri = url(given, 'jwksUri', at, shared.allowInsecureHttp)
  const metadataUrl = url(given, 'metadataUrl', at, shared.allowInsecureHttp)
  const keys = keyList(given, at)
  if (keys !== undefined && jwksUri !== undefined)
    throw new InvalidOptionError(
      `option \`${at}jwksUri\` does nothing beside \`keys\`, with which nothing is fetched; leave one of them out`,
    )
  if (
    issuer.includes('{tenantid}') &&
    jwksUri === undefined &&
    metadataUrl === undefined &&
    keys === undefined
  )
    throw wrong(
      `${at}issuer`,
      issuer,
      'jwksUri or metadataUrl beside it, since no metadata can be looked up for a template',
    )
  return Object.freeze({
    rules: Object.freeze({
      issuer,
      profile,
      audiences: audiences(given, at),
      types: profile.types,
      required: required.map(claim => (typeof claim === 'string' ? [claim] : claim)),
      clockToleranceMs: shared.clockToleranceMs,
      maxTokenAgeMs: shared.maxTokenAgeMs,
    }),
    algorithms: algorithms(given, at),
    keys,
    jwksUri,
    metadataUrl,
    introspection: parseIntrospection(given, at, shared.allowInsecureHttp),
  })
}

function issuerIdentifier(given: Given, at: string, allowInsecureHttp: boolean): string {
  const { issuer } = given
  const wanted =
    "the issuer's identifier, exactly as in the tokens' iss, such as 'https://login.example.com/tenant', without white space"
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || /\s/.test(issuer))
    throw wrong(`${at}issuer`, issuer, wanted)
  refuseUntrustworthy(issuer, `${at}issuer`, allowInsecureHttp)
  return issuer
}

function audiences(given: Given, at: string): readonly string[] {
  const { audience } = given
  const list = typeof audience === 'string' ? [audience] : audience
  if (
    !Array.isArray(list) ||
    list.length === 0 ||
    list.some(member => typeof member !== 'string' || member === '' || member.trim() !== member)
  )
    throw wrong(
      `${at}audience`,
      audience,
      "whom the tokens have to be for, such as 'https://api.example.com', without white space around it; without it, tokens for other services would pass",
    )
  return Object.freeze([...(list as string[])])
}

function algorithms(given: Given, at: string): readonly Algorithm[] {
  const list = strings(given, 'algorithms', at)
  if (list === undefined) return supportedAlgorithms
  for (const algorithm of list)
    if (!supportedAlgorithms.includes(algorithm as Algorithm))
      throw wrong(
        `${at}algorithms`,
        algorithm,
        `only asymmetric algorithms: ${supportedAlgorithms.join(', ')}`,
      )
  return list as readonly Algorithm[]
}

function keyList(given: Given, at: string): readonly Jwk[] | undefined {
  const { keys } = given
  if (keys === undefined) return undefined
  if (
    !Array.isArray(keys) ||
    keys.length === 0 ||
    keys.some((key: unknown) => typeof key !== 'object' || key === null)
  )
    throw new InvalidOptionError(`option \`${at}keys\` wants a list of public keys as JWKs (RFC 7517 §4)`)
  return keys as readonly Jwk[]
}

function refuseRepeatedIssuers(issuers: readonly IssuerSettings[]): void {
  const seen = new Set<string>()
  for (const { rules } of issuers) {
    if (seen.has(rules.issuer))
      throw wrong('issuers', rules.issuer, 'each issuer once; give one issuer several audiences instead')
    seen.add(rules.issuer)
  }
}

function profileName(given: Given, at: string): ProfileName {
  const { profile = 'rfc9068' } = given
  const known = Object.keys(profiles)
  if (typeof profile !== 'string' || !known.includes(profile))
    throw wrong(`${at}profile`, profile, `one of ${known.join(', ')}`)
  return profile as ProfileName
}
