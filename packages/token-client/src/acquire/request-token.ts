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
import {
  authenticate,
  canChange,
  clip,
  messageOf,
  within,
  type ClientCredentials,
  type TlsIdentity,
} from 'oauth-issuer-connection'
import { isAccessToken, type TokenAnswer } from './ask-for-token.js'
import { withAudienceHint } from './audience-hint.js'
import { boundTo } from './bound-to.js'
import type { Grant } from './grants.js'
import { hideSecretsOf } from './hide-secrets.js'
import type { TokenEndpointFetch } from './token-endpoint-fetch.js'
import { failureFrom, TokenRequestFailure } from './token-request-failure.js'

/** The parameters of a token request. Renewals repeat the same request. */
export interface TokenRequest extends Grant {
  readonly clientId: string
  readonly credentials: ClientCredentials
  /** Creates DPoP proofs with the key that the token will be bound to (RFC 9449 §5). */
  readonly proofs: (() => Promise<DPoPHandle>) | undefined
}

/** The token endpoint and the functions that connect to it. */
export interface TokenEndpoint {
  readonly locate: () => Promise<AuthorizationServer>
  readonly send: TokenEndpointFetch
  /**
   * True if connections present a client certificate. The server can then bind tokens to this certificate (RFC 8705
   * §3).
   */
  readonly presentsCertificate: boolean
  /** The time limit in milliseconds for one token request, including the time to fetch metadata and credentials. */
  readonly timeoutMs: number
  readonly now: () => number
}

/**
 * Requests a token with oauth4webapi (RFC 6749 §4.4, §4.5) and never rejects. Retries once with a DPoP nonce if the
 * server requires one (RFC 9449 §8), and once with new credentials if the server rejected the previous ones.
 */
export async function requestToken(
  request: TokenRequest,
  endpoint: TokenEndpoint,
): Promise<TokenAnswer | TokenRequestFailure> {
  let attempt: Attempt = { request, endpoint, refused: false, nonce: request.proofs === undefined }
  for (;;) {
    // This time limit also covers functions from the user that never finish. It is 50 ms longer than the time limit for the server, so that a server timeout is reported first.
    const answer = await within(endpoint.timeoutMs + 50, send(attempt), tooLate)
    const next = answer instanceof TokenRequestFailure ? nextAttempt(attempt, answer) : undefined
    if (next === undefined) return answer
    attempt = next
  }
}

interface Attempt {
  readonly request: TokenRequest
  readonly endpoint: TokenEndpoint
  /** True if the server rejected the previous credentials. */
  readonly refused: boolean
  /** True if the DPoP proof contains the server's nonce, or if no proof is sent. */
  readonly nonce: boolean
}

/** Returns the next attempt, or undefined if another attempt would not help. */
function nextAttempt(attempt: Attempt, { error }: TokenRequestFailure): Attempt | undefined {
  if (error === 'use_dpop_nonce' && !attempt.nonce) return { ...attempt, nonce: true }
  const mayBeRotated = error === 'invalid_client' && canChange(attempt.request.credentials)
  return mayBeRotated && !attempt.refused ? { ...attempt, refused: true } : undefined
}

async function send({ request, endpoint, refused }: Attempt): Promise<TokenAnswer | TokenRequestFailure> {
  const client: Client = { client_id: request.clientId }
  const requestedAt = endpoint.now()
  let response: Response | undefined
  let identity: TlsIdentity | undefined
  let hide = nothingSent
  try {
    const server = await endpoint.locate()
    const proof = await request.proofs?.()
    const authentication = await resolveCredentials(request.credentials, refused)
    if (authentication instanceof TokenRequestFailure) return authentication
    response = await genericTokenEndpointRequest(
      server,
      { ...client, use_mtls_endpoint_aliases: usesMutualTls(request, endpoint) },
      authentication,
      request.grantType,
      request.parameters.map(([name, value]) => [name, value]),
      {
        ...(proof === undefined ? {} : { DPoP: proof }),
        [customFetch]: async (url, sent) => {
          hide = hideSecretsOf(sent)
          const answer = await endpoint.send(url, sent)
          ;({ identity } = answer)
          return answer.response
        },
        [allowInsecureRequests]: true, // This setting is safe, because http URLs that are not allowed were already rejected when the options were parsed.
      },
    )
    const parsed = await processGenericTokenEndpointResponse(server, client, response)
    const answer = readAnswer(parsed, requestedAt, proof === undefined ? 'bearer' : 'dpop')
    return answer instanceof TokenRequestFailure ? answer : boundTo(identity, answer)
  } catch (error) {
    return withAudienceHint(failureFrom(error, { response, hide, now: endpoint.now }), request.credentials)
  }
}

function tooLate(): TokenRequestFailure {
  return new TokenRequestFailure(
    'timed out while waiting for the credentials or for a response from the authorization server',
  )
}

/**
 * Used instead of redaction if a failure occurs before a request is sent. There are no secrets to redact yet, so the
 * text is returned unchanged.
 */
function nothingSent(text: string): string {
  return text
}

/**
 * Returns true if connections present a client certificate. Always returns true for `tls_client_auth`, because the
 * certificate may be configured in a dispatcher that the user provides.
 */
function usesMutualTls({ credentials }: TokenRequest, { presentsCertificate }: TokenEndpoint): boolean {
  return presentsCertificate || credentials.method === 'tls_client_auth'
}

/**
 * Creates the client authentication. An unusable credential is a permanent failure, unless a function provides the
 * credential and may return a different one next time.
 */
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

function readAnswer(
  { access_token: accessToken, expires_in: expiresIn, scope, token_type: type }: TokenEndpointResponse,
  requestedAt: number,
  wanted: 'bearer' | 'dpop',
): TokenAnswer | TokenRequestFailure {
  if (type !== wanted)
    return new TokenRequestFailure(
      `the token has the type ${clip(type)}, expected ${wanted === 'dpop' ? 'DPoP' : 'Bearer'}`,
    )
  if (!isAccessToken(accessToken))
    return new TokenRequestFailure('the token contains characters that RFC 6749 Appendix A.12 does not allow')
  return { accessToken, requestedAt, expiresIn, scope }
}
