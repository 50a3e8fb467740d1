import { createLocalJWKSet } from 'jose/jwks/local'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import type { RegisteredClient } from '../clients.js'
import type { IssuerRequest } from '../serve/exchange.js'
import { OAuthError } from './oauth-error.js'
import type { Parameters } from './parameters.js'

/** What authenticating a client takes besides the request. */
export interface ClientDirectory {
  readonly clients: ReadonlyMap<string, RegisteredClient>
  /** Values that an assertion's `aud` may have: the issuer and the token endpoint (RFC 7523 §3). */
  readonly ownNames: readonly string[]
  readonly now: () => number
  /** Remembers the id of an assertion; false when it was there already. */
  readonly once: (id: string) => boolean
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const challenge = { 'www-authenticate': 'Basic realm="token endpoint"' }

/**
 * Who asks: by exactly one method (RFC 6749 §2.3), and by the one the client is registered for.
 * @throws {OAuthError} invalid_client, or invalid_request where several methods are used at once
 */
export async function authenticateClient(
  { headers }: IssuerRequest,
  parameters: Parameters,
  directory: ClientDirectory,
): Promise<RegisteredClient> {
  const basic = headers['authorization']
  const secret = parameters.get('client_secret')
  const assertion = parameters.get('client_assertion')
  if ([basic, secret, assertion].filter(credential => credential !== undefined).length > 1)
    throw new OAuthError('invalid_request', 'the client authenticates in more than one way')
  if (basic !== undefined) {
    const [id, password] = readBasic(basic)
    if ((parameters.get('client_id') ?? id) !== id)
      throw new OAuthError('invalid_request', 'client_id is not the one of the Basic credentials')
    return bySecret(directory.clients.get(id), password, 'client_secret_basic')
  }
  if (assertion !== undefined) return byAssertion(assertion, parameters, directory)
  if (secret === undefined)
    throw new OAuthError('invalid_client', 'the request has no client authentication', challenge)
  return bySecret(directory.clients.get(parameters.need('client_id')), secret, 'client_secret_post')
}

/** RFC 6749 §2.3.1: both halves are form-urlencoded before they are joined. */
function readBasic(header: string): [id: string, secret: string] {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(header) ?? []
  const text = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (encoded === undefined || colon < 1)
    throw new OAuthError(
      'invalid_client',
      'the Authorization header holds no Basic client credentials',
      challenge,
    )
  try {
    return [formDecode(text.slice(0, colon)), formDecode(text.slice(colon + 1))]
  } catch {
    throw new OAuthError(
      'invalid_client',
      'client id and secret are not form-urlencoded in the Basic credentials (RFC 6749 §2.3.1)',
      challenge,
    )
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function bySecret(
  client: RegisteredClient | undefined,
  secret: string,
  method: 'client_secret_basic' | 'client_secret_post',
): RegisteredClient {
  if (client === undefined || client.clientSecret === undefined || client.clientSecret !== secret)
    throw new OAuthError('invalid_client', 'unknown client, or wrong secret', challenge)
  return allowing(client, method)
}

function allowing(client: RegisteredClient, method: RegisteredClient['methods'][number]): RegisteredClient {
  if (!client.methods.includes(method))
    throw new OAuthError(
      'invalid_client',
      `the client must authenticate by ${client.methods.join(' or ')}, not by ${method}`,
      challenge,
    )
  return client
}

/** RFC 7523 §3: made by the client for this issuer, in time, and used once. */
async function byAssertion(
  assertion: string,
  parameters: Parameters,
  { clients, ownNames, now, once }: ClientDirectory,
): Promise<RegisteredClient> {
  if (parameters.need('client_assertion_type') !== assertionType)
    throw new OAuthError('invalid_request', `client_assertion_type is not ${assertionType}`)
  const client = clients.get(subjectOf(assertion) ?? '')
  const claimed = parameters.get('client_id')
  if (client === undefined || (claimed !== undefined && claimed !== client.clientId))
    throw badAssertion('sub names no registered client, or another one than client_id')
  allowing(client, 'private_key_jwt')
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks as never), {
      issuer: client.clientId,
      subject: client.clientId,
      audience: [...ownNames],
      requiredClaims: ['exp', 'jti'],
      currentDate: new Date(now()),
    })
    if (!once(`${client.clientId} ${payload.jti}`)) throw new Error('its jti was used before')
  } catch (error) {
    throw badAssertion((error as Error).message)
  }
  return client
}

function badAssertion(why: string): OAuthError {
  return new OAuthError('invalid_client', `client_assertion: ${why}`)
}

function subjectOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).sub
  } catch {
    return undefined
  }
}
