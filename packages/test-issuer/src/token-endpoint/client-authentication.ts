import type { AuthenticationMethod, RegisteredClient } from '../clients/registration.js'
import type { IssuerRequest } from '../serve/exchange.js'
import { basicChallenge, readBasicCredentials } from './basic-credentials.js'
import { readClientAssertion, type AssertionContext } from './client-assertion.js'
import { OAuthError } from './oauth-error.js'
import type { Parameters } from './parameters.js'

/**
 * Authenticates the client. The request must use exactly one authentication method (RFC 6749 §2.3), and the client must be
 * registered for this method.
 * @throws {OAuthError} invalid_client, or invalid_request if the request uses several methods
 */
export async function authenticateClient(
  { headers }: IssuerRequest,
  parameters: Parameters,
  context: AssertionContext,
): Promise<RegisteredClient> {
  const basic = headers['authorization']
  const secret = parameters.get('client_secret')
  const assertion = parameters.get('client_assertion')
  if ([basic, secret, assertion].filter(credential => credential !== undefined).length > 1)
    throw new OAuthError('invalid_request', 'the request uses more than one client authentication method')
  if (basic !== undefined) return byBasic(basic, parameters, context)
  if (assertion !== undefined) {
    const { client, method } = await readClientAssertion(assertion, parameters, context)
    return checkMethod(client, method)
  }
  if (secret === undefined)
    throw new OAuthError('invalid_client', 'the request contains no client credentials', basicChallenge)
  const client = context.clients.get(parameters.need('client_id'))
  return checkMethod(checkSecret(client, secret), 'client_secret_post')
}

function byBasic(header: string, parameters: Parameters, { clients }: AssertionContext): RegisteredClient {
  const [clientId, secret] = readBasicCredentials(header)
  if ((parameters.get('client_id') ?? clientId) !== clientId)
    throw new OAuthError(
      'invalid_request',
      'the client_id parameter differs from the client id in the Basic credentials',
    )
  return checkMethod(checkSecret(clients.get(clientId), secret), 'client_secret_basic')
}

/** Throws the same error for an unknown client and a wrong secret, so that the response does not reveal which clients exist. */
function checkSecret(client: RegisteredClient | undefined, secret: string): RegisteredClient {
  if (client?.clientSecret === undefined || client.clientSecret !== secret)
    throw new OAuthError('invalid_client', 'unknown client or wrong secret', basicChallenge)
  return client
}

function checkMethod(client: RegisteredClient, method: AuthenticationMethod): RegisteredClient {
  if (client.methods.includes(method)) return client
  throw new OAuthError(
    'invalid_client',
    `the client must authenticate with ${client.methods.join(' or ')}, not with ${method}`,
    basicChallenge,
  )
}
