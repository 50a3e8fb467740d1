import {
  milliseconds,
  object,
  optional,
  parser,
  secret,
  text,
  url,
  withDefault,
  type Declares,
  type Parser,
} from 'declared-options'
import type { IntrospectionSettings } from '../verify/introspect-token.js'

/** How opaque tokens are asked about (RFC 7662). This service authenticates to the issuer with `client_secret_basic`. */
export interface IntrospectionOptions {
  /** The client id of this service at the issuer. */
  clientId: string
  /** Its secret, or a function that fetches it. */
  clientSecret: string | (() => string | Promise<string>)
  /** The introspection endpoint. Default: the one in the issuer's metadata. */
  endpoint?: string
  /**
   * How long the answer that a token is active counts, in milliseconds, and so how long a revoked token may still work.
   * At most an hour. Default 10000; 0 asks every time.
   */
  cacheMs?: number
}

const declaration = {
  clientId: text('the client id of this service'),
  clientSecret: secret<() => string | Promise<string>>('its secret, or a function that fetches it'),
  endpoint: optional(url({ example: 'https://login.example.com/introspect' })),
  cacheMs: withDefault(milliseconds({ max: 3_600_000 }), 10_000),
} satisfies Declares<IntrospectionOptions>

const options = object(declaration, "an object such as { clientId: '…', clientSecret: '…' }")

export const introspectionOption: Parser<IntrospectionSettings> = parser({
  expected: options.expected,
  read: (value, place) =>
    Object.freeze({ ...options.read(value, place), allowInsecureHttp: place.allowInsecureHttp }),
})
