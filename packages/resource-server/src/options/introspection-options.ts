import type { IntrospectionSettings } from '../verify/introspect-token.js'
import { isObject, milliseconds, refuseUnknown, url, wrong, type Given } from './read-option.js'

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
   * Default 10000; 0 asks every time.
   */
  cacheMs?: number
}

const known = ['clientId', 'clientSecret', 'endpoint', 'cacheMs']

/** @throws {InvalidOptionError} */
export function parseIntrospection(
  { introspection: given }: Given,
  at: string,
  allowInsecureHttp: boolean,
): IntrospectionSettings | undefined {
  if (given === undefined) return undefined
  const name = `${at}introspection`
  if (!isObject(given)) throw wrong(name, given, "an object such as { clientId: '…', clientSecret: '…' }")
  refuseUnknown(given, known, `${name}.`)
  const { clientId, clientSecret } = given
  if (typeof clientId !== 'string' || clientId === '')
    throw wrong(`${name}.clientId`, clientId, 'the client id of this service')
  const isSecret = typeof clientSecret === 'string' ? clientSecret !== '' : typeof clientSecret === 'function'
  if (!isSecret)
    // What was given may be a secret in the wrong shape, so it is not shown.
    throw wrong(`${name}.clientSecret`, typeof clientSecret, 'its secret, or a function that fetches it')
  return Object.freeze({
    clientId,
    clientSecret: clientSecret as IntrospectionSettings['clientSecret'],
    endpoint: url(given, 'endpoint', `${name}.`, allowInsecureHttp),
    cacheMs: milliseconds(given, 'cacheMs', 10_000, `${name}.`),
    allowInsecureHttp,
  })
}
