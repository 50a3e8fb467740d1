import type { JsonWebKey } from 'node:crypto'
import type { RegisteredClient } from '../clients/registration.js'
import type { TokenContent } from '../issue/profile.js'
import type { TokenShape } from '../issue/sign-token.js'
import { json, noStore, type IssuerRequest, type IssuerResponse } from '../serve/exchange.js'
import type { RecordDraft } from '../serve/recorded-requests.js'
import type { AssertionContext } from './client-assertion.js'
import { authenticateClient } from './client-authentication.js'
import { readDpopProof } from './dpop-proof.js'
import { grants, type Grant } from './grants.js'
import { OAuthError } from './oauth-error.js'
import type { OwnTokens } from './own-tokens.js'
import { readParameters } from './parameters.js'
import { applyPolicy } from './policy.js'

/** The parts of the issuer that {@link answerTokenRequest} uses. */
export interface TokenEndpointContext extends AssertionContext {
  readonly tokens: OwnTokens
  /** Whether token responses contain `scope` in the client credentials grant. False for Entra ID and Cognito. */
  readonly answersScope: boolean
  /** The token lifetime in milliseconds. */
  readonly expiresInMs: number
  readonly issue: (
    content: Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'>,
    shape: TokenShape,
  ) => Promise<string>
}

/** Handles a token request (RFC 6749 §3.2). */
export async function answerTokenRequest(
  request: IssuerRequest,
  context: TokenEndpointContext,
  record: RecordDraft,
): Promise<IssuerResponse> {
  try {
    return await grantToken(request, context, record)
  } catch (error) {
    if (error instanceof OAuthError) return error.toResponse()
    throw error
  }
}

async function grantToken(
  request: IssuerRequest,
  context: TokenEndpointContext,
  record: RecordDraft,
): Promise<IssuerResponse> {
  const parameters = readParameters(request)
  record.grantType = parameters.get('grant_type')
  record.scope = parameters.get('scope')
  record.targets = [...parameters.all('resource'), ...parameters.all('audience')]

  const client = await authenticateClient(request, parameters, context)
  record.clientId = client.clientId

  const grant = grantFor(parameters.need('grant_type'), client)
  const { subject, claims, answer } = await grant(parameters, client, context.tokens)
  const { audience, scopes } = applyPolicy(parameters, client)

  const dpopKey = await dpopKeyOf(request, context)
  const token = await context.issue(
    { audience, scopes, subject, clientId: client.clientId },
    { claims, ...(dpopKey === undefined ? {} : { dpopKey }) },
  )
  const isScopeAnswered = context.answersScope || subject !== undefined
  return json(
    200,
    {
      access_token: token,
      token_type: dpopKey === undefined ? 'Bearer' : 'DPoP',
      expires_in: Math.floor(context.expiresInMs / 1000),
      ...(scopes.length === 0 || !isScopeAnswered ? {} : { scope: scopes.join(' ') }),
      ...answer,
    },
    noStore,
  )
}

function grantFor(type: string, client: RegisteredClient): Grant {
  const known = grants.get(type)
  if (known === undefined)
    throw new OAuthError(
      'unsupported_grant_type',
      `grant_type is not one of ${[...grants.keys()].join(', ')}`,
    )
  if (!client.grants.includes(known.name))
    throw new OAuthError(
      'unauthorized_client',
      `the client is not registered for the grant ${known.name}, only for ${client.grants.join(', ')}`,
    )
  return known.grant
}

/** Returns the key to which the token will be bound, or undefined if the request has no DPoP proof. */
async function dpopKeyOf(
  { headers }: IssuerRequest,
  { tokenEndpoint: url, now, once }: TokenEndpointContext,
): Promise<JsonWebKey | undefined> {
  const proof = headers['dpop']
  return proof === undefined ? undefined : readDpopProof(proof, { method: 'POST', url, now, once })
}
