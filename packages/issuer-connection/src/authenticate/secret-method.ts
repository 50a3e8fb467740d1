import type { JsonObject } from '../answer.js'
import type { SecretMethod } from './client-authentication.js'

/** Preferred first; Basic is the default of RFC 8414 §2 and RFC 6749 §2.3.1. */
const preferred = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const

/**
 * The method for a client secret at the introspection endpoint, as the metadata lists it (RFC 8414 §2). A server that
 * lists nothing for that endpoint most likely expects the same as at the token endpoint.
 */
export function secretMethodFor(metadata: JsonObject): SecretMethod {
  const listed =
    metadata['introspection_endpoint_auth_methods_supported'] ??
    metadata['token_endpoint_auth_methods_supported']
  if (!Array.isArray(listed)) return preferred[0]
  return preferred.find(method => listed.includes(method)) ?? preferred[0]
}
