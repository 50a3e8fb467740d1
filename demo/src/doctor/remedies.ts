import type { TokenClientOptions } from 'fastify-token-client'

/** The options of the client that say how it authenticates. */
type Credentials = Pick<TokenClientOptions, 'clientId' | 'clientSecret' | 'privateKey'>

/** The issuer's `error` (RFC 6749 §5.2) → what to do. Names options of fastify-token-client in backticks. */
const remedies: Readonly<Record<string, string | ((credentials: Credentials) => string)>> = {
  invalid_client: ({ clientId, clientSecret, privateKey }) => {
    if (privateKey !== undefined)
      return 'Look at `clientId`, `keyId` and `keyAlgorithm`, and at `assertionAudience`: servers that predate RFC 10070 expect token_endpoint, others issuer.'
    return [clientId, clientSecret].some(isEncodedInBasic)
      ? 'The id or the secret has characters that HTTP Basic encodes, and not every server decodes them. Set `clientAuthentication` to client_secret_post or client_secret_basic_unencoded. Otherwise look at `clientId` and `clientSecret`.'
      : 'Look at `clientId` and `clientSecret`, and whether the issuer expects the secret in the body: `clientAuthentication: client_secret_post`.'
  },
  unauthorized_client:
    'Allow the client the Client Credentials Grant (in Keycloak: service accounts). Keycloak gives the same answer for a wrong `clientSecret`.',
  unsupported_grant_type:
    'The issuer does not support the Client Credentials Grant, or not at this `tokenEndpoint`.',
  invalid_scope:
    'Assign the `scopes` to the client at the issuer. Entra ID and B2C take a single scope only, `<resource>/.default`.',
  invalid_target:
    'The issuer does not know the `resource`, or the client may not call it. Some issuers expect `audience` instead, or `scopes` alone.',
  invalid_request:
    'The issuer may name the API by another parameter: `resource`, `audience` or `scopes` alone. `profile` sets what a vendor expects.',
  access_denied:
    'Authorize the client for the API at the issuer. Auth0 gives the same answer for a wrong `clientSecret` and an unknown `audience`.',
}

/** Some servers do not decode HTTP Basic credentials: then only letters, digits and `-_.*` arrive as they are. */
function isEncodedInBasic(value: unknown): boolean {
  return typeof value === 'string' && /[^\w.*-]/.test(value)
}

/** What to do when the issuer refuses a token request; undefined for an unknown error. */
export function remedyFor(error: string, credentials: Credentials): string | undefined {
  const known = Object.hasOwn(remedies, error) ? remedies[error] : undefined
  return typeof known === 'function' ? known(credentials) : known
}

/** Option of a plugin → the variable of the demo that sets it. */
const variables: Readonly<Record<string, string>> = {
  issuer: 'ISSUER',
  profile: 'PROFILE',
  audience: 'AUDIENCE',
  resource: 'RESOURCE, PROFILE',
  clientId: 'CLIENT_ID',
  clientSecret: 'CLIENT_SECRET',
  clientAuthentication: 'CLIENT_AUTHENTICATION',
  keyId: 'KEY_ID',
  keyAlgorithm: 'KEY_ALGORITHM',
  assertionAudience: 'ASSERTION_AUDIENCE',
  metadataUrl: 'METADATA_URL',
  tokenEndpoint: 'TOKEN_ENDPOINT',
  allowInsecureHttp: 'ALLOW_INSECURE_HTTP',
}

/** Adds the demo's variables for the options that a text names in backticks. */
export function withVariables(text: string): string {
  const named = [...text.matchAll(/`(\w+)/g)].map(([, option = '']) => variables[option] ?? [])
  const list = [...new Set(named.flat().flatMap(names => names.split(', ')))]
  return list.length === 0 ? text : `${text} Variables: ${list.join(', ')}.`
}
