import { json, noStore, type IssuerRequest, type IssuerResponse } from '../serve/exchange.js'
import type { RecordDraft } from '../serve/recorded-requests.js'
import type { AssertionContext } from './client-assertion.js'
import { authenticateClient } from './client-authentication.js'
import { OAuthError } from './oauth-error.js'
import type { OwnTokens } from './own-tokens.js'
import { readParameters } from './parameters.js'

/**
 * Handles an introspection request from any registered client (RFC 7662 §2). For an invalid token, the response contains only
 * `active: false`.
 */
export async function answerIntrospection(
  request: IssuerRequest,
  context: AssertionContext & { readonly tokens: OwnTokens },
  record: RecordDraft,
): Promise<IssuerResponse> {
  try {
    const parameters = readParameters(request)
    const client = await authenticateClient(request, parameters, context)
    record.clientId = client.clientId
    return json(200, await describe(parameters.need('token'), context.tokens), noStore)
  } catch (error) {
    if (error instanceof OAuthError) return error.toResponse()
    throw error
  }
}

async function describe(token: string, tokens: OwnTokens): Promise<Record<string, unknown>> {
  try {
    const claims = await tokens.read(token)
    const bound = (claims['cnf'] as { jkt?: unknown } | undefined)?.jkt !== undefined
    return {
      ...claims,
      active: true,
      token_type: bound ? 'DPoP' : 'Bearer',
      client_id: claims['client_id'] ?? claims['azp'] ?? claims['cid'],
    }
  } catch {
    return { active: false }
  }
}
