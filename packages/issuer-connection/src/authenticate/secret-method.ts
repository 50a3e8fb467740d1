import type { JsonObject } from '../answer.js'
import type { SecretMethod } from './client-authentication.js'

/**
 * The authentication methods in order of preference. `client_secret_basic` comes first because it is the default in RFC
 * 8414 §2 and RFC 6749 §2.3.1.
 */
const preferred = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const

/**
 * Selects the authentication method for the introspection endpoint from the metadata (RFC 8414 §2). If the metadata
 * lists no methods for this endpoint, the methods of the token endpoint apply.
 */
export function secretMethodFor(metadata: JsonObject): SecretMethod {
  const listed =
    metadata['introspection_endpoint_auth_methods_supported'] ??
    metadata['token_endpoint_auth_methods_supported']
  if (!Array.isArray(listed)) return preferred[0]
  return preferred.find(method => listed.includes(method)) ?? preferred[0]
}
