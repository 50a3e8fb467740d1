import type { TokenClientOptions } from 'fastify-token-client'

/** Why a service got no token. */
export interface TokenFailure {
  /** The issuer's `error` (RFC 6749 §5.2), if it answered with one. */
  readonly error: string | undefined
  /** Everything that is known, for operators. */
  readonly detail: string
}

/** The options of the client that say how it authenticates. */
type Credentials = Pick<TokenClientOptions, 'clientId' | 'clientSecret' | 'privateKey'>

interface Remedy {
  readonly when: (failure: TokenFailure, credentials: Credentials) => boolean
  /** Names options of fastify-token-client in backticks. */
  readonly text: string
}

const isError =
  (name: string) =>
  ({ error }: TokenFailure): boolean =>
    error === name
const says =
  (pattern: RegExp) =>
  ({ detail }: TokenFailure): boolean =>
    pattern.test(detail)

/** Some servers do not decode HTTP Basic credentials: then only letters, digits and `-_.*` arrive as they are. */
const isEncodedInBasic = (value: unknown): boolean => typeof value === 'string' && /[^\w.*-]/.test(value)

/** The first that fits. */
const remedies: readonly Remedy[] = [
  {
    when: ({ error }, { privateKey }) => error === 'invalid_client' && privateKey !== undefined,
    text: 'Look at `clientId`, `keyId` and `keyAlgorithm`, and at `assertionAudience`: servers that predate RFC 10070 expect token_endpoint, others issuer.',
  },
  {
    when: ({ error }, { clientId, clientSecret }) =>
      error === 'invalid_client' && [clientId, clientSecret].some(isEncodedInBasic),
    text: 'The id or the secret has characters that HTTP Basic encodes, and not every server decodes them. Set `clientAuthentication` to client_secret_post or client_secret_basic_unencoded. Otherwise look at `clientId` and `clientSecret`.',
  },
  {
    when: isError('invalid_client'),
    text: 'Look at `clientId` and `clientSecret`, and whether the issuer expects the secret in the body: `clientAuthentication: client_secret_post`.',
  },
  {
    when: isError('unauthorized_client'),
    text: 'Allow the client the Client Credentials Grant (in Keycloak: service accounts). Keycloak gives the same answer for a wrong `clientSecret`.',
  },
  {
    when: isError('unsupported_grant_type'),
    text: 'The issuer does not support the Client Credentials Grant, or not at this `tokenEndpoint`.',
  },
  {
    when: isError('invalid_scope'),
    text: 'Assign the `scopes` to the client at the issuer. Entra ID and B2C take a single scope only, `<resource>/.default`.',
  },
  {
    when: isError('invalid_target'),
    text: 'The issuer does not know the `resource`, or the client may not call it. Some issuers expect `audience` instead, or `scopes` alone.',
  },
  {
    when: isError('invalid_request'),
    text: 'The issuer may name the API by another parameter: `resource`, `audience` or `scopes` alone. `profile` sets what a vendor expects.',
  },
  {
    when: isError('access_denied'),
    text: 'Authorize the client for the API at the issuer. Auth0 gives the same answer for a wrong `clientSecret` and an unknown `audience`.',
  },
  {
    when: says(/undici/i),
    text: 'The dispatcher is not one of undici 7: npm install undici@7, for `dispatcher` and `issuerDispatcher`.',
  },
  {
    when: says(/certificate|self.signed|unable to (?:get|verify)/i),
    text: 'The issuer has a certificate of a private authority: set NODE_EXTRA_CA_CERTS, or the option `ca`.',
  },
  {
    when: says(/names the issuer/),
    text: 'Set `issuer` exactly as the metadata names it, often with or without a slash at the end.',
  },
  {
    when: says(/redirects|no metadata|text\/html|answers \d{3}/),
    text: 'Look at `issuer`. If its metadata is elsewhere, set `metadataUrl`; if it has none, `tokenEndpoint`.',
  },
  {
    when: says(/no answer within|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|connect/i),
    text: 'The issuer cannot be reached. Behind a proxy, set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY, or give a ProxyAgent as `issuerDispatcher`; for a slow issuer, raise `issuerTimeoutMs`. Otherwise look at `issuer`.',
  },
]

/** What to do when a service gets no token. */
export function remedyFor(failure: TokenFailure, credentials: Credentials): string {
  const found = remedies.find(({ when }) => when(failure, credentials))
  return withVariables(
    found?.text ?? 'Look at `issuer`, `tokenEndpoint` and the network; the issuer’s log may say more.',
  )
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
