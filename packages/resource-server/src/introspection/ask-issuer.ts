import { isObject } from 'declared-options'
import type { AuthorizationServer, Client } from 'oauth4webapi'
import {
  authenticate,
  beforeAbort,
  canChange,
  discoverMetadata,
  endpointIn,
  IssuerConnectionError,
  secretMethodFor,
  type AssertionAudience,
  type ClientCredentials,
  type FetchRequest,
  type IssuerConnection,
  type IssuerExchange,
  type IssuerMetadata,
  type Provided,
  type TlsSettings,
} from 'oauth-issuer-connection'
import type { Claims } from '../claims/profiles.js'

/** A client secret. The method of client authentication is chosen from the issuer's metadata. */
export interface SecretCredentials {
  readonly method: undefined
  readonly secret: Provided<string>
  readonly audience: AssertionAudience
}

/** How this API authenticates to the introspection endpoint. */
export interface IntrospectionClient {
  readonly clientId: string
  readonly credentials: ClientCredentials | SecretCredentials
  /** The client certificate for mutual TLS (RFC 8705). */
  readonly tls: TlsSettings
}

export interface IntrospectionTarget {
  readonly issuer: string
  /** The configured introspection endpoint. If undefined, it is read from the issuer's metadata. */
  readonly endpoint: string | undefined
  readonly metadataUrl: string | undefined
  readonly allowInsecureHttp: boolean
}

/** Sends an introspection request (RFC 7662 §2.1). Rejects if the issuer sends no valid response. */
export type AskIssuer = (raw: string) => Promise<Claims>

/** The issuer's introspection endpoint and metadata, cached until a request fails. */
interface Found {
  readonly server: AuthorizationServer
  readonly metadata: IssuerMetadata
}

export function createAskIssuer(
  client: IntrospectionClient,
  target: IntrospectionTarget,
  connection: IssuerConnection,
): AskIssuer {
  let finding: Promise<Found> | undefined

  async function ask(raw: string, exchange: IssuerExchange, refused: boolean): Promise<Claims> {
    const { server, metadata } = await (finding ??= findServer(client, target, exchange))
    const credentials = withMethod(client.credentials, metadata)
    const authentication = await beforeAbort(
      authenticate(credentials, { refused }),
      exchange.signal,
      notInTime,
    )
    const answer = await introspect(raw, { server, client, authentication, exchange })
    if (answer !== 'refused') return answer
    // A 401 response may mean that the client secret has been rotated, so the secret is read again and the request is retried once.
    if (!refused && canChange(credentials)) return ask(raw, exchange, true)
    throw new IssuerConnectionError(
      `${server.introspection_endpoint} responded with 401: the issuer refuses the client credentials of this API`,
      { status: 401, problem: 'client refused' },
    )
  }

  return async raw => {
    try {
      return await ask(raw, connection.exchange(), false)
    } catch (error) {
      finding = undefined
      throw error
    }
  }
}

/** Returns the configured introspection endpoint, or finds it in the issuer's metadata. */
async function findServer(
  { tls }: IntrospectionClient,
  { issuer, endpoint, metadataUrl, allowInsecureHttp }: IntrospectionTarget,
  exchange: IssuerExchange,
): Promise<Found> {
  if (endpoint !== undefined)
    return {
      server: { issuer, introspection_endpoint: endpoint, token_endpoint: endpoint },
      metadata: { issuer },
    }
  const metadata = await discoverMetadata(issuer, metadataUrl, exchange)
  const aliases = metadata['mtls_endpoint_aliases']
  const withAliases = { ...metadata, ...(tls.cert !== undefined && isObject(aliases) ? aliases : {}), issuer }
  const found = endpointIn(withAliases, 'introspection_endpoint', allowInsecureHttp)
  const { token_endpoint: tokenEndpoint } = metadata
  const algorithms = metadata['introspection_endpoint_auth_signing_alg_values_supported']
  return {
    server: {
      issuer,
      introspection_endpoint: found,
      token_endpoint: typeof tokenEndpoint === 'string' ? tokenEndpoint : found,
      ...(Array.isArray(algorithms) ? { token_endpoint_auth_signing_alg_values_supported: algorithms } : {}),
    },
    metadata,
  }
}

function withMethod(
  credentials: ClientCredentials | SecretCredentials,
  metadata: IssuerMetadata,
): ClientCredentials {
  return credentials.method === undefined
    ? { ...credentials, method: secretMethodFor(metadata) }
    : credentials
}

interface Question {
  readonly server: AuthorizationServer
  readonly client: IntrospectionClient
  readonly authentication: Awaited<ReturnType<typeof authenticate>>
  readonly exchange: IssuerExchange
}

/** Sends the introspection request with oauth4webapi, which also validates the response. */
async function introspect(
  raw: string,
  { server, client: { clientId }, authentication, exchange }: Question,
): Promise<Claims | 'refused'> {
  const oauth = await import('oauth4webapi')
  const client: Client = { client_id: clientId }
  const response = await oauth.introspectionRequest(server, client, authentication, raw, {
    [oauth.allowInsecureRequests]: true, // oauth4webapi may accept http URLs here, because this package has already checked the URL of the endpoint.
    [oauth.customFetch]: (url: string, request: FetchRequest) => exchange.fetch(url, request),
    additionalParameters: { token_type_hint: 'access_token' },
  })
  const { status } = response
  if (status === 401) return 'refused'
  if (status !== 200)
    throw new IssuerConnectionError(
      `${server.introspection_endpoint} responded with ${status}, expected 200`,
      {
        status,
      },
    )
  try {
    return { ...(await oauth.processIntrospectionResponse(server, client, response)) }
  } catch (error) {
    // oxlint-disable-next-line preserve-caught-error -- the caught error contains the issuer's response
    throw new Error(`${server.introspection_endpoint}: ${(error as Error).message}`)
  }
}

function notInTime(): Error {
  return new Error('the function that provides the client credentials did not finish within the time limit')
}
