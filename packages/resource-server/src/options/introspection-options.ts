import {
  listOf,
  milliseconds,
  object,
  oneOf,
  optional,
  parser,
  url,
  withDefault,
  type Declares,
  type Parser,
} from 'declared-options'
import type { IntrospectionSettings } from '../introspection/introspect-token.js'
import { omittableClaims, type OmittableClaim } from '../introspection/introspected-claims.js'
import {
  credentialDeclaration,
  introspectionClientOf,
  type IntrospectionCredentials,
} from './introspection-credentials.js'

/** Options for the introspection of opaque tokens (RFC 7662). */
export interface IntrospectionOptions extends IntrospectionCredentials {
  /** The URL of the introspection endpoint. Default: the URL in the issuer's metadata. */
  endpoint?: string
  /**
   * How long the introspection response for an active token is cached, in milliseconds. During this time, a revoked
   * token is still accepted. Maximum 3600000; default 10000; 0 disables the cache.
   */
  cacheMs?: number
  /**
   * Accepts introspection responses without `aud` or `exp`. RFC 7662 makes both claims optional. If a response has no
   * `aud`, the token is accepted even if the issuer issued it for another API. Default: both claims are required.
   */
  acceptWithout?: readonly OmittableClaim[]
}

const declaration = {
  ...credentialDeclaration,
  endpoint: optional(url({ example: 'https://login.example.com/introspect' })),
  cacheMs: withDefault(milliseconds({ max: 3_600_000 }), 10_000),
  acceptWithout: withDefault(listOf(oneOf(omittableClaims), "a list of 'aud' and 'exp'"), []),
} satisfies Declares<IntrospectionOptions>

const options = object(declaration, "an object such as { clientId: '…', clientSecret: '…' }")

/**
 * Parses the `introspection` option. The result does not include `requiredClaims`, because it is an option of the
 * issuer.
 */
export const introspectionOption: Parser<Omit<IntrospectionSettings, 'requiredClaims'>> = parser({
  expected: options.expected,
  read(value, place) {
    const given = options.read(value, place)
    const { endpoint, cacheMs, acceptWithout } = given
    const { allowInsecureHttp } = place
    return { ...introspectionClientOf(given, place), endpoint, cacheMs, acceptWithout, allowInsecureHttp }
  },
})
