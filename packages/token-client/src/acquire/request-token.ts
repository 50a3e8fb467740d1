import type { webcrypto } from 'node:crypto'
import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  customFetch,
  DPoP,
  isDPoPNonceError,
  processClientCredentialsResponse,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type DPoPHandle,
  type TokenEndpointResponse,
} from 'oauth4webapi'
import { authenticate, type ClientCredentials } from './client-authentication.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'

/** What the client asks the token endpoint for. */
export interface TokenRequest {
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** `scope`, `resource` (RFC 8707 §2), `audience` and whatever else the server wants. */
  readonly parameters: readonly (readonly [string, string])[]
  /** The key that the token is to be bound to (RFC 9449 §5). */
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
}

/** What a token endpoint answered, as far as the client needs it. */
export interface TokenAnswer {
  readonly accessToken: string
  /** When the request for it was sent, in milliseconds since the epoch: its lifetime counts from then. */
  readonly requestedAt: number
  readonly expiresIn: number | undefined
  readonly scope: string | undefined
}

/** Why there is no token. `permanent`: the server said so by RFC 6749 §5.2; asking again changes nothing. */
export class TokenRequestFailure {
  readonly permanent: boolean
  readonly error: string
  readonly description: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    error: string,
    details: {
      permanent?: boolean
      description?: string | undefined
      retryAfterMs?: number | undefined
    } = {},
  ) {
    this.error = error
    this.permanent = details.permanent ?? false
    this.description = details.description
    this.retryAfterMs = details.retryAfterMs
  }
}

/**
 * Asks for a token by the Client Credentials Grant (RFC 6749 §4.4); what is on the wire is oauth4webapi's.
 * @throws {TokenRequestFailure}
 */
export async function requestToken(
  locate: () => Promise<AuthorizationServer>,
  request: TokenRequest,
  send: TokenEndpointFetch,
  now: () => number,
): Promise<TokenAnswer> {
  const client: Client = { client_id: request.clientId }
  const proof = request.dpop === undefined ? undefined : DPoP(client, await request.dpop())
  const exchange = async (): Promise<TokenAnswer> => {
    const requestedAt = now()
    let response: Response | undefined
    try {
      const server = await locate()
      response = withoutChallenge(await sendRequest(server, request, proof, send))
      const answer = await processClientCredentialsResponse(server, client, response)
      return readAnswer(answer, requestedAt, proof === undefined ? 'bearer' : 'dpop')
    } catch (error) {
      throw isDPoPNonceError(error) ? error : failureFrom(error, response)
    }
  }
  try {
    return await exchange()
  } catch (error) {
    if (!isDPoPNonceError(error)) throw error
  }
  // RFC 9449 §8: the server wants its nonce in the proof, and has just given it.
  return exchange().catch((error: unknown) => {
    throw failureFrom(error, undefined)
  })
}

async function sendRequest(
  server: AuthorizationServer,
  { clientId, credentials, parameters }: TokenRequest,
  proof: DPoPHandle | undefined,
  send: TokenEndpointFetch,
): Promise<Response> {
  const client = { client_id: clientId }
  const body = parameters.map(([name, value]) => [name, value])
  return clientCredentialsGrantRequest(server, client, await usable(credentials), body, {
    ...(proof === undefined ? {} : { DPoP: proof }),
    [customFetch]: send,
    [allowInsecureRequests]: true, // which plain http is allowed was settled when the options were parsed
  })
}

/** A key or secret that cannot be used, or that its function does not give, is a mistake of ours, not an outage. */
async function usable(credentials: ClientCredentials): Promise<ClientAuth> {
  try {
    return await authenticate(credentials)
  } catch (error) {
    throw new TokenRequestFailure('unusable_client_credentials', {
      permanent: true,
      description: clip((error as Error).message),
    })
  }
}

/** RFC 6749 §5.2: a 401 has a challenge, and the error in its body; oauth4webapi would report the challenge alone. */
function withoutChallenge(response: Response): Response {
  if (!response.headers.has('www-authenticate')) return response
  const { status, body } = response
  const headers = new Headers(response.headers)
  headers.delete('www-authenticate')
  return new Response(body, { status, headers })
}

function readAnswer(
  { access_token: accessToken, expires_in: expiresIn, scope, token_type: type }: TokenEndpointResponse,
  requestedAt: number,
  wanted: 'bearer' | 'dpop',
): TokenAnswer {
  if (type !== wanted)
    throw new TokenRequestFailure(
      `the token has the type ${clip(type)}, not ${wanted === 'dpop' ? 'DPoP' : 'Bearer'}`,
    )
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(accessToken))
    throw new TokenRequestFailure('the token is no b64token (RFC 6750 §2.1)')
  return { accessToken, requestedAt, expiresIn, scope }
}

/** What errors of oauth4webapi and of undici have, as far as it holds no secret: their causes can hold the whole answer. */
interface KnownError {
  readonly error?: unknown
  readonly error_description?: unknown
  readonly status?: number
  readonly name?: string
  readonly message?: string
  readonly cause?: { readonly message?: string; readonly code?: string }
}

function failureFrom(error: unknown, response: Response | undefined): TokenRequestFailure {
  if (error instanceof TokenRequestFailure) return error
  const known = error as KnownError
  if (isRefusal(known)) {
    const description =
      typeof known.error_description === 'string' ? clip(known.error_description) : undefined
    return new TokenRequestFailure(clip(known.error), { permanent: true, description })
  }
  const retryAfterMs = retryAfter(response)
  if (response !== undefined && !response.ok)
    return new TokenRequestFailure(`the server answers ${response.status}`, { retryAfterMs })
  if (known.name === 'TimeoutError') return new TokenRequestFailure('the server does not answer in time')
  return new TokenRequestFailure(
    clip(known.cause?.code ?? known.cause?.message ?? known.message ?? 'unknown'),
    { retryAfterMs },
  )
}

/** The server's own word (RFC 6749 §5.2), and not that it is busy: anything else may be better next time. */
function isRefusal(known: KnownError): known is KnownError & { error: string } {
  const { error, status = 500 } = known
  return typeof error === 'string' && error !== 'temporarily_unavailable' && status < 500 && status !== 429
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(response: Response | undefined): number | undefined {
  const value = response?.headers.get('retry-after')
  if (value === null || value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

/** What a server wrote, short enough for a log line and without line breaks. */
function clip(text: string): string {
  return text.replaceAll(/[^\x20-\x7E\u00A0-\uFFFF]/g, ' ').slice(0, 200)
}
