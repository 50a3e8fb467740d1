import type { GrantName, RegisteredClient } from '../clients/registration.js'
import type { Claims } from '../issue/profile.js'
import { OAuthError } from './oauth-error.js'
import type { OwnTokens } from './own-tokens.js'
import type { Parameters } from './parameters.js'

/** What a grant allows. If `subject` is undefined, the client acts on its own behalf. */
export interface OnBehalf {
  readonly subject: string | undefined
  /** The claims that the grant adds to the token. */
  readonly claims: Claims
  /** The properties that the grant adds to the token response. */
  readonly answer: Claims
}

/** Processes a token request for one grant type, after the client has been authenticated. */
export type Grant = (parameters: Parameters, client: RegisteredClient, tokens: OwnTokens) => Promise<OnBehalf>

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

/** The client credentials grant (RFC 6749 §4.4). */
const clientCredentials: Grant = async () => ({ subject: undefined, claims: {}, answer: {} })

/**
 * Exchanges a token from this issuer for another token (RFC 8693 §2.1). If there is an actor token, the new token has an `act`
 * claim.
 */
const tokenExchange: Grant = async (parameters, client, tokens) => {
  const requested = parameters.get('requested_token_type') ?? accessTokenType
  if (requested !== accessTokenType && requested !== jwtType)
    throw new OAuthError(
      'invalid_request',
      `requested_token_type is neither ${accessTokenType} nor ${jwtType}`,
    )
  const subject = await tokenParameter('subject_token', parameters, tokens)
  checkMeantFor(client, subject)
  const actor =
    parameters.get('actor_token') === undefined
      ? undefined
      : await tokenParameter('actor_token', parameters, tokens)
  return {
    subject: subjectOf(subject),
    // The `act` claim contains the chain of previous actors (RFC 8693 §4.1).
    claims:
      actor === undefined
        ? {}
        : { act: { sub: actor['sub'], ...(subject['act'] === undefined ? {} : { act: subject['act'] }) } },
    answer: { issued_token_type: requested },
  }
}

/**
 * The JWT bearer grant (RFC 7523 §2.1). The assertion is an access token from this issuer, as in Entra ID's on-behalf-of flow.
 */
const jwtBearer: Grant = async (parameters, client, tokens) => {
  const assertion = await readOwn('assertion', parameters.need('assertion'), tokens)
  checkMeantFor(client, assertion)
  return { subject: subjectOf(assertion), claims: {}, answer: {} }
}

/** Maps each value of `grant_type` to its grant. */
export const grants: ReadonlyMap<string, { readonly name: GrantName; readonly grant: Grant }> = new Map([
  ['client_credentials', { name: 'client_credentials', grant: clientCredentials }],
  ['urn:ietf:params:oauth:grant-type:token-exchange', { name: 'token_exchange', grant: tokenExchange }],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', { name: 'jwt_bearer', grant: jwtBearer }],
])

async function tokenParameter(
  name: 'subject_token' | 'actor_token',
  parameters: Parameters,
  tokens: OwnTokens,
): Promise<Claims> {
  const type = parameters.need(`${name}_type`)
  if (type !== accessTokenType && type !== jwtType)
    throw new OAuthError('invalid_request', `${name}_type is neither ${accessTokenType} nor ${jwtType}`)
  return readOwn(name, parameters.need(name), tokens)
}

async function readOwn(name: string, token: string, tokens: OwnTokens): Promise<Claims> {
  try {
    return await tokens.read(token)
  } catch (error) {
    // The error code is invalid_request in RFC 8693 §2.2.2 and invalid_grant in RFC 7523 §3.1.
    const code = name === 'assertion' ? 'invalid_grant' : 'invalid_request'
    throw new OAuthError(code, `${name} is not a valid token from this issuer: ${(error as Error).message}`)
  }
}

function subjectOf({ sub }: Claims): string {
  if (typeof sub === 'string' && sub !== '') return sub
  throw new OAuthError(
    'invalid_grant',
    'the token has no sub claim, so the subject of the new token is unknown',
  )
}

/**
 * If the client has an `ownAudience`, checks that the token is for this audience. Without this check, the client could
 * exchange stolen tokens.
 */
function checkMeantFor({ ownAudience }: RegisteredClient, { aud }: Claims): void {
  if (ownAudience !== undefined && ![aud].flat().includes(ownAudience))
    throw new OAuthError(
      'invalid_grant',
      `the token was not issued for this client: its audience does not include ${ownAudience}`,
    )
}
