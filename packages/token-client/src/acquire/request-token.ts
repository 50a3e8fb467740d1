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
import { hideSecretsOf } from './hide-secrets.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'
import { clip, failureFrom, TokenRequestFailure } from './token-request-failure.js'

/** What the client asks the token endpoint for. */
export interface TokenRequest {
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** `client_credentials`, or the URN of an extension grant (RFC 6749 §4.5). */
  readonly grantType: string
  /** `scope`, `resource` (RFC 8707 §2), `audience` and whatever else the grant and the server want. */
  readonly parameters: readonly (readonly [string, string])[]
  /** Proofs of the key that the token is to be bound to (RFC 9449 §5). */
  readonly proofs: (() => Promise<DPoPHandle>) | undefined
}

/** What a token endpoint answered, as far as the client needs it. */
export interface TokenAnswer {
  readonly accessToken: string
  /** When the request for it was sent, in milliseconds since the epoch: its lifetime counts from then. */
  readonly requestedAt: number
  readonly expiresIn: number | undefined
  readonly scope: string | undefined
}

/** The way to the authorization server, and the time. */
export interface TokenEndpoint {
  readonly locate: () => Promise<AuthorizationServer>
  readonly send: TokenEndpointFetch
  /** How long one token request may take, with everything that is needed for it, in milliseconds. */
  readonly timeoutMs: number
  readonly now: () => number
}

/**
 * Asks for a token (RFC 6749 §4.4, §4.5); what is on the wire is oauth4webapi's. Asks again where the answer says what
 * was missing: the server's nonce in the proof (RFC 9449 §8), or another secret than the one that was rotated away; once
 * for each.
 * @throws {TokenRequestFailure}
 */
export async function requestToken(request: TokenRequest, endpoint: TokenEndpoint): Promise<TokenAnswer> {
  let attempt: Attempt = { request, endpoint, refused: false, nonce: request.proofs === undefined }
  for (;;) {
    try {
      return await inTime(send(attempt), endpoint.timeoutMs)
    } catch (error) {
      attempt = next(attempt, error as TokenRequestFailure)
    }
  }
}

interface Attempt {
  readonly request: TokenRequest
  readonly endpoint: TokenEndpoint
  /** The credentials that were given before were refused. */
  readonly refused: boolean
  /** The server's nonce is in the proof, or there is no proof. */
  readonly nonce: boolean
}

/** @throws {TokenRequestFailure} when asking again would change nothing */
function next(attempt: Attempt, failure: TokenRequestFailure): Attempt {
  if (failure.error === 'use_dpop_nonce' && !attempt.nonce) return { ...attempt, nonce: true }
  const mayBeRotated = failure.error === 'invalid_client' && canChange(attempt.request.credentials)
  if (mayBeRotated && !attempt.refused) return { ...attempt, refused: true }
  throw failure
}

async function send({ request, endpoint, refused }: Attempt): Promise<TokenAnswer> {
  const client: Client = { client_id: request.clientId }
  const requestedAt = endpoint.now()
  let response: Response | undefined
  let hide = nothingSent
  try {
    const server = await endpoint.locate()
    const proof = await request.proofs?.()
    const answer = await genericTokenEndpointRequest(
      server,
      isMutualTls(request.credentials) ? { ...client, use_mtls_endpoint_aliases: true } : client,
      await usable(request.credentials, refused),
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
    throw failureFrom(error, { response, hide, now: endpoint.now })
  }
}

/** No secret has gone out yet that could come back. */
function nothingSent(text: string): string {
  return text
}

/** What is asked for a secret, a key or a signature may never answer. */
function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(
      () =>
        reject(
          new TokenRequestFailure('what the client proves itself with, or the server, does not come in time'),
        ),
      // Where it is the server that does not answer, its own bound is the first to say so.
      ms + 50,
    )
    work.finally(() => clearTimeout(timeout)).then(resolve, reject)
  })
}

function isMutualTls({ method }: ClientCredentials): boolean {
  return method === 'tls_client_auth'
}

/** A key that cannot be used is a mistake of ours; a function that gives none now may give one next time. */
async function usable(credentials: ClientCredentials, refused: boolean): Promise<ClientAuth> {
  try {
    return await authenticate(credentials, { refused })
  } catch (error) {
    throw new TokenRequestFailure('unusable_client_credentials', {
      permanent: !canChange(credentials),
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
