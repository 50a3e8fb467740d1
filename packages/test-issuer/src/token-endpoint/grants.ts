import type { GrantName, RegisteredClient } from '../clients/registration.js'
import type { Claims } from '../issue/profile.js'
import { OAuthError } from './oauth-error.js'
import type { OwnTokens } from './own-tokens.js'
import type { Parameters } from './parameters.js'

/** On whose behalf the token is issued: the client's own, or a subject's. */
export interface OnBehalf {
  readonly subject: string | undefined
  /** Claims that the grant adds. */
  readonly claims: Claims
  /** Members that the grant adds to the answer. */
  readonly answer: Claims
}

/** What one grant reads from the request, after the client was authenticated. */
export type Grant = (parameters: Parameters, client: RegisteredClient, tokens: OwnTokens) => Promise<OnBehalf>

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

/** RFC 6749 §4.4. */
const clientCredentials: Grant = async () => ({ subject: undefined, claims: {}, answer: {} })

/** RFC 8693 §2.1: a token of this issuer for another one; with an actor token the client acts for its subject. */
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
    // RFC 8693 §4.1: the chain of actors is kept.
    claims:
      actor === undefined
        ? {}
        : { act: { sub: actor['sub'], ...(subject['act'] === undefined ? {} : { act: subject['act'] }) } },
    answer: { issued_token_type: requested },
  }
}

/** RFC 7523 §2.1; with an access token of this issuer as the assertion it is Entra ID's on-behalf-of. */
const jwtBearer: Grant = async (parameters, client, tokens) => {
  const assertion = await readOwn('assertion', parameters.need('assertion'), tokens)
  checkMeantFor(client, assertion)
  return { subject: subjectOf(assertion), claims: {}, answer: {} }
}

/** `grant_type` → the grant. */
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
    // RFC 8693 §2.2.2 says invalid_request, RFC 7523 §3.1 invalid_grant.
    const code = name === 'assertion' ? 'invalid_grant' : 'invalid_request'
    throw new OAuthError(code, `${name} is not a valid token of this issuer: ${(error as Error).message}`)
  }
}

function subjectOf({ sub }: Claims): string {
  if (typeof sub === 'string' && sub !== '') return sub
  throw new OAuthError('invalid_grant', 'the token has no sub, so it does not say for whom the client acts')
}

/**
 * A service may exchange only tokens that were issued for it. Otherwise any stolen token could be exchanged for a new
 * one.
 */
function checkMeantFor({ ownAudience }: RegisteredClient, { aud }: Claims): void {
  if (ownAudience !== undefined && ![aud].flat().includes(ownAudience))
    throw new OAuthError('invalid_grant', `the token is not for ${ownAudience}, the audience of this client`)
}
