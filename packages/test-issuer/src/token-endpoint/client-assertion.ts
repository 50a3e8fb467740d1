import { createLocalJWKSet } from 'jose/jwks/local'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'
import type { JWTVerifyResult } from 'jose'
import { jwtVerify } from 'jose/jwt/verify'
import type { ClientAssertionRules, RegisteredClient } from '../clients/registration.js'
import { OAuthError } from './oauth-error.js'
import type { Parameters } from './parameters.js'

/** The parts of the issuer that {@link readClientAssertion} uses. */
export interface AssertionContext {
  readonly clients: ReadonlyMap<string, RegisteredClient>
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly clientAssertions: ClientAssertionRules
  readonly now: () => number
  /** Marks the id of an assertion as used. Returns false if the id was already used. */
  readonly once: (id: string) => boolean
}

/** The client that signed an assertion, and the authentication method. */
export interface AssertedClient {
  readonly client: RegisteredClient
  readonly method: 'client_secret_jwt' | 'private_key_jwt'
}

/** The clock tolerance in seconds. MSAL rounds `nbf` to the nearest second, so `nbf` can be slightly in the future. */
const clockToleranceSeconds = 5

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Validates a client assertion (RFC 7523 §3): its signature, audience and expiry. Rejects an assertion that was used before.
 * @throws {OAuthError} invalid_client, or invalid_request if `client_assertion_type` is missing or unknown
 */
export async function readClientAssertion(
  assertion: string,
  parameters: Parameters,
  context: AssertionContext,
): Promise<AssertedClient> {
  if (parameters.need('client_assertion_type') !== assertionType)
    throw new OAuthError('invalid_request', `client_assertion_type is not ${assertionType}`)
  const { alg, sub } = peekAt(assertion)
  const client = context.clients.get(typeof sub === 'string' ? sub : '')
  if (client === undefined) throw badAssertion('the sub claim is not the id of a registered client')
  if ((parameters.get('client_id') ?? client.clientId) !== client.clientId)
    throw badAssertion('the sub claim differs from the client_id parameter')
  const method = String(alg).startsWith('HS') ? 'client_secret_jwt' : 'private_key_jwt'
  try {
    const { payload, protectedHeader } = await verifySignature(assertion, client, method, context.now())
    checkAddress(protectedHeader.typ, payload.aud, context)
    if (!context.once(`${client.clientId} ${payload.jti}`)) throw new Error('jti was used before')
  } catch (error) {
    throw badAssertion((error as Error).message)
  }
  return { client, method }
}

async function verifySignature(
  assertion: string,
  { clientId, clientSecret, jwks }: RegisteredClient,
  method: AssertedClient['method'],
  now: number,
): Promise<JWTVerifyResult> {
  const options = {
    issuer: clientId,
    subject: clientId,
    requiredClaims: ['aud', 'exp', 'jti'],
    currentDate: new Date(now),
    clockTolerance: clockToleranceSeconds,
  }
  if (method === 'client_secret_jwt') {
    if (clientSecret === undefined)
      throw new Error('the assertion is signed with HMAC, but the client has no secret')
    return jwtVerify(assertion, new TextEncoder().encode(clientSecret), options)
  }
  if (jwks === undefined)
    throw new Error('the assertion is signed with a private key, but the client is registered without jwks')
  // The cast is safe because jose checks each member of the registered keys.
  return jwtVerify(assertion, createLocalJWKSet(jwks as never), options)
}

function checkAddress(typ: unknown, aud: unknown, context: AssertionContext): void {
  const { issuer, tokenEndpoint, clientAssertions } = context
  const audiences = [aud].flat()
  if (clientAssertions === 'rfc7523') {
    if (audiences.includes(issuer) || audiences.includes(tokenEndpoint)) return
    throw new Error(
      `the aud claim is ${shown(aud)}; expected the issuer ${issuer} or the token endpoint ${tokenEndpoint}`,
    )
  }
  if (audiences.length !== 1 || audiences[0] !== issuer)
    throw new Error(`the aud claim is ${shown(aud)}; expected only the issuer ${issuer} (RFC 10070)`)
  // RFC 10070 requires clients to set this type, but recommends that servers accept assertions without it. This issuer requires the type, because its purpose is to test clients.
  if (!/^(?:application\/)?client-authentication\+jwt$/i.test(String(typ)))
    throw new Error(`the typ header is ${shown(typ)}; expected client-authentication+jwt (RFC 10070)`)
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : [value].flat().map(String).join(', ').slice(0, 200)
}

/**
 * Reads `alg` and `sub` from an assertion that is not verified yet, because they determine the authentication method
 * and the client. The values may be of any type.
 */
function peekAt(assertion: string): { alg?: unknown; sub?: unknown } {
  try {
    return { alg: decodeProtectedHeader(assertion).alg, sub: decodeJwt(assertion).sub }
  } catch {
    return {}
  }
}

function badAssertion(why: string): OAuthError {
  return new OAuthError('invalid_client', `client_assertion: ${why}`)
}
