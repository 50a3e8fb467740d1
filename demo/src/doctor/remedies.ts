import type { TokenClientOptions } from 'fastify-token-client'

/** The options with the client's credentials. */
type Credentials = Pick<TokenClientOptions, 'clientId' | 'clientSecret' | 'privateKey'>

/** The remedies by the issuer's `error` (RFC 6749 §5.2). Options of fastify-token-client are in backticks. */
const remedies: Readonly<Record<string, string | ((credentials: Credentials) => string)>> = {
  invalid_client: ({ clientId, clientSecret, privateKey }) => {
    if (privateKey !== undefined)
      return 'Check `clientId`, `keyId`, `keyAlgorithm` and `assertionAudience`. Servers that predate RFC 10070 expect token_endpoint as audience, others issuer.'
    return [clientId, clientSecret].some(isEncodedInBasic)
      ? 'The client id or the secret has characters that HTTP Basic encodes, and some servers do not decode them. Set `clientAuthentication` to client_secret_post or client_secret_basic_unencoded. Otherwise check `clientId` and `clientSecret`.'
      : 'Check `clientId` and `clientSecret`. If the issuer expects the secret in the body, set `clientAuthentication: client_secret_post`.'
  },
  unauthorized_client:
    'Allow the Client Credentials Grant for this client (in Keycloak: service accounts). Keycloak returns the same error for a wrong `clientSecret`.',
  unsupported_grant_type: 'The issuer does not support the Client Credentials Grant at this `tokenEndpoint`.',
  invalid_scope:
    'Assign the `scopes` to the client at the issuer. Entra ID and B2C accept only a single scope, `<resource>/.default`.',
  invalid_target:
    'The issuer does not know the `resource`, or the client is not authorized for it. Some issuers expect `audience` instead, or `scopes` alone.',
  invalid_request:
    'The issuer may expect the API in another parameter: `resource`, `audience` or `scopes` alone. Set `profile` to the vendor of the issuer.',
  access_denied:
    'Authorize the client for the API at the issuer. Auth0 returns the same error for a wrong `clientSecret` and an unknown `audience`.',
}

/** Returns whether HTTP Basic encodes a character of the value. Some servers do not decode the credentials. */
function isEncodedInBasic(value: unknown): boolean {
  return typeof value === 'string' && /[^\w.*-]/.test(value)
}

/** Returns what to do if the issuer refuses a token request; undefined for an unknown error. */
export function remedyFor(error: string, credentials: Credentials): string | undefined {
  const known = Object.hasOwn(remedies, error) ? remedies[error] : undefined
  return typeof known === 'function' ? known(credentials) : known
}

/** The environment variables of the demo, by the options that they set. */
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

/** Appends the environment variables for the options that a text names in backticks. */
export function withVariables(text: string): string {
  const named = [...text.matchAll(/`(\w+)/g)].map(([, option = '']) => variables[option] ?? [])
  const list = [...new Set(named.flat().flatMap(names => names.split(', ')))]
  return list.length === 0 ? text : `${text} Variables: ${list.join(', ')}.`
}
