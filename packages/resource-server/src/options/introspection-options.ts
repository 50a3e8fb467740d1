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

/** How opaque tokens are introspected (RFC 7662). */
export interface IntrospectionOptions extends IntrospectionCredentials {
  /** The introspection endpoint. Default: the one in the issuer's metadata. */
  endpoint?: string
  /**
   * How long the answer that a token is active is cached, in milliseconds: for this long, a revoked token still works.
   * At most an hour. Default 10000; 0 asks every time.
   */
  cacheMs?: number
  /**
   * Claims that may be missing from the response, although they protect: `aud` (every token of the issuer is accepted,
   * whichever API it is for) and `exp`. RFC 7662 makes both optional. Default: none may be missing.
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

/** All of the settings, except what the issuer's own options say. */
export const introspectionOption: Parser<Omit<IntrospectionSettings, 'requiredClaims'>> = parser({
  expected: options.expected,
  read(value, place) {
    const given = options.read(value, place)
    const { endpoint, cacheMs, acceptWithout } = given
    const { allowInsecureHttp } = place
    return { ...introspectionClientOf(given, place), endpoint, cacheMs, acceptWithout, allowInsecureHttp }
  },
})
