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
  /** Connections present a client certificate, so that tokens can be bound to it (RFC 8705 §3). */
  readonly presentsCertificate: boolean
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
    // A function that provides a secret, a key or a signature may never settle. If it is the server that does not answer,
    // its own time limit is the first to say so.
    const answer = await within(endpoint.timeoutMs + 50, send(attempt), tooLate)
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
        [allowInsecureRequests]: true, // which plain http is allowed was settled when the options were parsed
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
  return new TokenRequestFailure('the credentials, or the server, do not answer in time')
}

/** No secret was sent yet that the server could repeat. */
function nothingSent(text: string): string {
  return text
}

/** A dispatcher of the user's own may present the certificate for `tls_client_auth`. */
function usesMutualTls({ credentials }: TokenRequest, { presentsCertificate }: TokenEndpoint): boolean {
  return presentsCertificate || credentials.method === 'tls_client_auth'
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

function readAnswer(
  { access_token: accessToken, expires_in: expiresIn, scope, token_type: type }: TokenEndpointResponse,
  requestedAt: number,
  wanted: 'bearer' | 'dpop',
): TokenAnswer | TokenRequestFailure {
  if (type !== wanted)
    return new TokenRequestFailure(
      `the token has the type ${clip(type)}, not ${wanted === 'dpop' ? 'DPoP' : 'Bearer'}`,
    )
  if (!isAccessToken(accessToken))
    return new TokenRequestFailure('the token has characters that RFC 6749 App. A.12 does not allow')
  return { accessToken, requestedAt, expiresIn, scope }
}
