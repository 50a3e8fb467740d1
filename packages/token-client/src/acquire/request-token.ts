import {
  allowInsecureRequests,
  customFetch,
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type DPoPHandle,
  type TokenEndpointResponse,
} from 'oauth4webapi'
import { authenticate, canChange, type ClientCredentials } from '../authenticate/client-authentication.js'
import type { TokenAnswer } from './ask-for-token.js'
import type { Grant } from './grants.js'
import { hideSecretsOf } from './hide-secrets.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'
import { clip, failureFrom, messageOf, TokenRequestFailure } from './token-request-failure.js'

/** One kind of token request; the same one is sent for each renewal. */
export interface TokenRequest extends Grant {
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** Makes DPoP proofs with the key that the token is to be bound to (RFC 9449 §5). */
  readonly proofs: (() => Promise<DPoPHandle>) | undefined
}

/** How to reach the token endpoint. */
export interface TokenEndpoint {
  readonly locate: () => Promise<AuthorizationServer>
  readonly send: TokenEndpointFetch
  /** How long one token request may take, with everything that is needed for it, in milliseconds. */
  readonly timeoutMs: number
  readonly now: () => number
}

/**
 * Requests a token (RFC 6749 §4.4, §4.5); oauth4webapi writes the request and checks the response. Sends the request
 * again if the answer says what was missing: the server's nonce in the proof (RFC 9449 §8), or a new secret instead of
 * a rotated one; once for each. Never rejects.
 */
export async function requestToken(
  request: TokenRequest,
  endpoint: TokenEndpoint,
): Promise<TokenAnswer | TokenRequestFailure> {
  let attempt: Attempt = { request, endpoint, refused: false, nonce: request.proofs === undefined }
  for (;;) {
    const answer = await inTime(send(attempt), endpoint.timeoutMs)
    const next = answer instanceof TokenRequestFailure ? nextAttempt(attempt, answer) : undefined
    if (next === undefined) return answer
    attempt = next
  }
}

interface Attempt {
  readonly request: TokenRequest
  readonly endpoint: TokenEndpoint
  /** The server refused the previous credentials. */
  readonly refused: boolean
  /** The server's nonce is in the proof, or there is no proof. */
  readonly nonce: boolean
}

/** Undefined if another attempt would change nothing. */
function nextAttempt(attempt: Attempt, { error }: TokenRequestFailure): Attempt | undefined {
  if (error === 'use_dpop_nonce' && !attempt.nonce) return { ...attempt, nonce: true }
  const mayBeRotated = error === 'invalid_client' && canChange(attempt.request.credentials)
  return mayBeRotated && !attempt.refused ? { ...attempt, refused: true } : undefined
}

async function send({ request, endpoint, refused }: Attempt): Promise<TokenAnswer | TokenRequestFailure> {
  const client: Client = { client_id: request.clientId }
  const requestedAt = endpoint.now()
  let response: Response | undefined
  let hide = nothingSent
  try {
    const server = await endpoint.locate()
    const proof = await request.proofs?.()
    const authentication = await resolveCredentials(request.credentials, refused)
    if (authentication instanceof TokenRequestFailure) return authentication
    const answer = await genericTokenEndpointRequest(
      server,
      isMutualTls(request.credentials) ? { ...client, use_mtls_endpoint_aliases: true } : client,
      authentication,
      request.grantType,
      request.parameters.map(([name, value]) => [name, value]),
      {
        ...(proof === undefined ? {} : { DPoP: proof }),
        [customFetch]: (url, sent) => {
          hide = hideSecretsOf(sent)
          return endpoint.send(url, sent)
        },
        [allowInsecureRequests]: true, // which plain http is allowed was settled when the options were parsed
      },
    )
    response = withoutChallenge(answer)
    const parsed = await processGenericTokenEndpointResponse(server, client, response)
    return readAnswer(parsed, requestedAt, proof === undefined ? 'bearer' : 'dpop')
  } catch (error) {
    return failureFrom(error, { response, hide, now: endpoint.now })
  }
}

/** No secret was sent yet that the server could repeat. */
function nothingSent(text: string): string {
  return text
}

/** A function that provides a secret, a key or a signature may never settle. */
function inTime<T>(work: Promise<T>, ms: number): Promise<T | TokenRequestFailure> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(
      () => resolve(new TokenRequestFailure('the credentials, or the server, do not answer in time')),
      // If it is the server that does not answer, its own time limit is the first to say so.
      ms + 50,
    )
    work.finally(() => clearTimeout(timeout)).then(resolve, reject)
  })
}

function isMutualTls({ method }: ClientCredentials): boolean {
  return method === 'tls_client_auth'
}

/** A fixed key or secret that is unusable stays so; a function may provide a usable one next time. */
async function resolveCredentials(
  credentials: ClientCredentials,
  refused: boolean,
): Promise<ClientAuth | TokenRequestFailure> {
  try {
    return await authenticate(credentials, { refused })
  } catch (error) {
    return new TokenRequestFailure('unusable_client_credentials', {
      permanent: !canChange(credentials),
      description: clip(messageOf(error)),
    })
  }
}

/** A 401 has a challenge, and the error in its body (RFC 6749 §5.2); oauth4webapi would report only the challenge. */
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
): TokenAnswer | TokenRequestFailure {
  if (type !== wanted)
    return new TokenRequestFailure(
      `the token has the type ${clip(type)}, not ${wanted === 'dpop' ? 'DPoP' : 'Bearer'}`,
    )
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(accessToken))
    return new TokenRequestFailure('the token is no b64token (RFC 6750 §2.1)')
  return { accessToken, requestedAt, expiresIn, scope }
}
