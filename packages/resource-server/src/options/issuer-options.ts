import {
  listOf,
  oneOf,
  oneOrMore,
  optional,
  parser,
  readOptions,
  strings,
  text,
  url,
  withDefault,
  isPlainObject,
  type Declares,
  type Given,
  type Parsed,
  type Parser,
  type Place,
} from 'declared-options'
import type { ClaimRules } from '../claims/check-claims.js'
import type { IntrospectionSettings } from '../introspection/introspect-token.js'
import { profiles, requiredBy, type ProfileName } from '../claims/profiles.js'
import { hasMlDsa, isMlDsa, supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import type { Jwk } from '../keys/public-key.js'
import { introspectionOption, type IntrospectionOptions } from './introspection-options.js'

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
  /** Where the metadata is, if not at the issuer's well-known places. */
  metadataUrl?: string
  /** The keys themselves, for tests and for issuers without a JWKS endpoint; nothing is fetched then. */
  keys?: readonly Jwk[]
  /**
   * Signature algorithms that are accepted (RFC 8725 §3.1). Default: every asymmetric one; a key decides which fit it.
   * ML-DSA (RFC 9964) needs Node.js 24.7 or later.
   */
  algorithms?: readonly Algorithm[]
  /** Claims that must be present, besides those of the profile. */
  requiredClaims?: readonly string[]
  /**
   * Ask this issuer about tokens that are not JWTs (RFC 7662); if several issuers have it, they are asked one after the
   * other. Default: such tokens are refused.
   */
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

/** What applies to each issuer. Times in milliseconds. */
export interface SharedRules {
  readonly clockToleranceMs: number
  readonly maxTokenAgeMs: number
}

const profileNames = Object.keys(profiles) as ProfileName[]

/** Asymmetric algorithms only: with an HMAC secret, whoever verifies can also sign. */
export function algorithmsOption<const A extends Algorithm>(names: readonly A[]): Parser<readonly A[]> {
  const one = oneOf(names, `only asymmetric algorithms: ${names.join(', ')}`)
  const available: Parser<A> = {
    ...one,
    read: (value, place) => refuseUnavailable(one.read(value, place), place),
  }
  return listOf(available, `a list of asymmetric algorithms: ${names.join(', ')}`)
}

/** Keys for it would all be ignored, and every token refused. */
function refuseUnavailable<A extends Algorithm>(algorithm: A, { option, toError }: Place): A {
  if (!isMlDsa(algorithm) || hasMlDsa()) return algorithm
  throw toError(
    `option \`${option}\` is "${algorithm}", which this version of Node.js (${process.versions.node}) does not support; run Node.js 24.7 or later, or leave it out`,
  )
}

const declaration = {
  issuer: url({ plain: true }),
  audience: oneOrMore(
    text(
      "the audience of the tokens, such as 'https://api.example.com'; without it, tokens for other services would be accepted",
    ),
  ),
  profile: withDefault(oneOf(profileNames), 'rfc9068'),
  jwksUri: optional(url({ example: 'https://login.example.com/jwks' })),
  metadataUrl: optional(url({ example: 'https://login.example.com/.well-known/openid-configuration' })),
  keys: optional(
    parser({
      expected: 'a list of public keys as JWKs (RFC 7517 §4)',
      // Jwk is an object whose members are checked when it is imported.
      read: value =>
        Array.isArray(value) && value.length > 0 && value.every(isPlainObject) ? (value as Jwk[]) : undefined,
    }),
  ),
  algorithms: withDefault(algorithmsOption(supportedAlgorithms), supportedAlgorithms),
  requiredClaims: withDefault(strings('a list of at least one claim name'), []),
  introspection: optional(introspectionOption),
} satisfies Declares<IssuerOptions>

/** The options that `issuers` has in each member, and the top level without it. */
export const issuerOptionNames: readonly string[] = Object.keys(declaration)

/** Reads the options of one issuer; `place` is where they are. @throws the error of the place */
export function readIssuer(given: Given, shared: SharedRules, place: Place): IssuerSettings {
  const parsed = readOptions(given, declaration, place)
  const { audience: audiences, profile: name, requiredClaims, introspection, ...issuer } = parsed
  refuseContradictions(parsed, place)
  const profile = profiles[name]
  return Object.freeze({
    ...issuer,
    introspection: introspection && Object.freeze({ ...introspection, requiredClaims }),
    rules: Object.freeze({
      issuer: issuer.issuer,
      profile,
      audiences,
      types: profile.types,
      required: requiredBy(profile, requiredClaims),
      ...shared,
    }),
  })
}

function refuseContradictions(
  { issuer, keys, jwksUri, metadataUrl, introspection }: Parsed<typeof declaration>,
  { option, toError }: Place,
): void {
  const at = option === '' ? '' : `${option}.`
  const ineffective = (name: string, beside: string): Error =>
    toError(`option \`${at}${name}\` has no effect with \`${beside}\`; leave one of them out`)
  if (keys !== undefined && jwksUri !== undefined) throw ineffective('jwksUri', 'keys')
  const isMetadataUsed = introspection !== undefined && introspection.endpoint === undefined
  if (metadataUrl !== undefined && (keys ?? jwksUri) !== undefined && !isMetadataUsed)
    throw ineffective('metadataUrl', keys === undefined ? 'jwksUri' : 'keys')
  if (issuer.includes('{tenantid}') && (keys ?? jwksUri ?? metadataUrl) === undefined)
    throw toError(
      `option \`${at}issuer\` is a template (${issuer}), so its metadata cannot be found; set jwksUri or metadataUrl too`,
    )
}
