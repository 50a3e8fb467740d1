import type { Profile } from '../issue/profiles.js'
import type { SigningAlgorithm } from '../issue/signing-keys.js'

/** Metadata: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2 in one document, as most issuers serve it. */
export function metadataOf(
  issuer: string,
  origin: string,
  profile: Profile,
  algorithm: SigningAlgorithm,
): Record<string, unknown> {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
  const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'PS256']
  return {
    issuer,
    jwks_uri: `${origin}${profile.jwksPath}`,
    token_endpoint: `${origin}${profile.tokenPath}`,
    introspection_endpoint: `${origin}${profile.introspectionPath}`,
    grant_types_supported: [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    dpop_signing_alg_values_supported: algorithms,
  }
}
