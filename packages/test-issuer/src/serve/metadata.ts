import type { SigningAlgorithm } from '../issue/key-pairs.js'
import type { IssuerUrls } from './endpoints.js'

const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt']
/** The algorithms that every supported version of Node can verify. ML-DSA is not included, because it requires Node 24.7. */
const verified = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]
const assertionAlgorithms = [...verified, 'HS256', 'HS384', 'HS512']

/**
 * Creates the metadata document. As with most issuers, the document combines OpenID Connect Discovery 1.0 §3 and RFC
 * 8414 §2. The document contains `authorization_endpoint`, because MSAL and other clients reject metadata without this
 * member.
 */
export function metadataOf(urls: IssuerUrls, algorithm: SigningAlgorithm): Readonly<Record<string, unknown>> {
  return {
    issuer: urls.issuer,
    jwks_uri: urls.jwksUri,
    authorization_endpoint: urls.authorizationEndpoint,
    token_endpoint: urls.tokenEndpoint,
    introspection_endpoint: urls.introspectionEndpoint,
    grant_types_supported: [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    dpop_signing_alg_values_supported: verified,
  }
}
