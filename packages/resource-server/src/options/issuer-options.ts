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
import { isTemplate } from '../claims/issuer-template.js'
import type { IntrospectionSettings } from '../introspection/introspect-token.js'
import { profiles, requiredBy, type ProfileName } from '../claims/profiles.js'
import { hasMlDsa, isMlDsa, supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import type { Jwk } from '../keys/public-key.js'
import { introspectionOption, type IntrospectionOptions } from './introspection-options.js'

/** The options of one issuer whose tokens are accepted. */
export interface IssuerOptions {
  /**
   * The issuer identifier, exactly as in the `iss` of tokens (RFC 8414 §2). It must be an https URL, or an http URL on
   * localhost. `{tenantid}` stands for the token's `tid` claim (multi-tenant Entra ID) and requires `metadataUrl` or
   * `jwksUri`.
   */
  issuer: string
  /**
   * The accepted audience, or a list of accepted audiences (`aud`, RFC 7519 §4.1.3). With the profile `cognito`, set
   * the accepted client ids instead.
   */
  audience: string | readonly string[]
  /** The format of the issuer's tokens. Default `rfc9068`. */
  profile?: ProfileName
  /** The URL of the JWK set (RFC 7517 §5). Default: `jwks_uri` from the issuer's metadata. */
  jwksUri?: string
  /** The URL of the issuer's metadata. Default: the issuer's well-known URLs. */
  metadataUrl?: string
  /**
   * The issuer's public keys, for tests and for issuers without a JWKS endpoint. If set, the plugin fetches no keys.
   */
  keys?: readonly Jwk[]
  /**
   * The accepted signature algorithms (RFC 8725 §3.1). Default: all supported asymmetric algorithms. Each key is used
   * only with algorithms of its own type. ML-DSA (RFC 9964) requires Node.js 24.7 or later.
   */
  algorithms?: readonly Algorithm[]
  /** Claims that must be present, in addition to the claims that the profile requires. */
  requiredClaims?: readonly string[]
  /**
   * If set, opaque tokens can be accepted. The plugin verifies them at the issuer's introspection endpoint (RFC 7662).
   * If this option is set for several issuers, the plugin asks them about a token one after the other. Default: opaque
   * tokens are refused.
   */
  introspection?: IntrospectionOptions
}

/** The validated options of one issuer. */
export interface IssuerSettings {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: readonly Jwk[] | undefined
  readonly jwksUri: string | undefined
  readonly metadataUrl: string | undefined
  readonly introspection: IntrospectionSettings | undefined
}

/** The clock tolerance and the maximum token age for all issuers, in milliseconds. */
export interface SharedRules {
  readonly clockToleranceMs: number
  readonly maxTokenAgeMs: number
}

const profileNames = Object.keys(profiles) as ProfileName[]

/**
 * Parses a list of asymmetric algorithms. HMAC is not supported, because a secret that verifies tokens can also sign
 * tokens.
 */
export function algorithmsOption<const A extends Algorithm>(names: readonly A[]): Parser<readonly A[]> {
  const one = oneOf(names, `only asymmetric algorithms: ${names.join(', ')}`)
  const available: Parser<A> = {
    ...one,
    read: (value, place) => refuseUnavailable(one.read(value, place), place),
  }
  return listOf(available, `a list of asymmetric algorithms: ${names.join(', ')}`)
}

/**
 * Rejects an algorithm that this version of Node.js does not support. Otherwise, every token signed with this algorithm
 * would be refused.
 */
function refuseUnavailable<A extends Algorithm>(algorithm: A, { option, toError }: Place): A {
  if (!isMlDsa(algorithm) || hasMlDsa()) return algorithm
  throw toError(
    `option \`${option}\` is "${algorithm}", which this version of Node.js (${process.versions.node}) does not support; run Node.js 24.7 or later, or remove the algorithm`,
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
      // The cast is safe because each JWK is checked when it is imported.
      read: value =>
        Array.isArray(value) && value.length > 0 && value.every(isPlainObject) ? (value as Jwk[]) : undefined,
    }),
  ),
  algorithms: withDefault(algorithmsOption(supportedAlgorithms), supportedAlgorithms),
  requiredClaims: withDefault(strings('a list of at least one claim name'), []),
  introspection: optional(introspectionOption),
} satisfies Declares<IssuerOptions>

/**
 * The names of the options that belong to a single issuer. They are set at the top level of the plugin's options, or
 * for each issuer in `issuers`.
 */
export const issuerOptionNames: readonly string[] = Object.keys(declaration)

/**
 * Parses the options of one issuer.
 * @param place the option to name in error messages
 * @throws {InvalidOptionError}
 */
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
    toError(`option \`${at}${name}\` has no effect with \`${beside}\`; remove one of them`)
  if (keys !== undefined && jwksUri !== undefined) throw ineffective('jwksUri', 'keys')
  const isMetadataUsed = introspection !== undefined && introspection.endpoint === undefined
  if (metadataUrl !== undefined && (keys ?? jwksUri) !== undefined && !isMetadataUsed)
    throw ineffective('metadataUrl', keys === undefined ? 'jwksUri' : 'keys')
  if (isTemplate(issuer) && (keys ?? jwksUri ?? metadataUrl) === undefined)
    throw toError(
      `option \`${at}issuer\` is a template (${issuer}), so the URL of its metadata is unknown; set \`jwksUri\` or \`metadataUrl\` too`,
    )
}
