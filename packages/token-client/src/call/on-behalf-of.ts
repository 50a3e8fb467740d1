import type { OnBehalfOfGrant } from '../options/profiles.js'
import { TokenRequestFailure } from '../acquire/token-request-failure.js'
import type { TokenAnswer } from '../acquire/request-token.js'
import type { AskForToken } from '../share/share-tokens.js'
import { kindOf } from './check-arguments.js'

/** The token of an incoming request: the request itself, or the token's text. */
export type Subject = string | { readonly headers: { readonly authorization?: string | undefined } }

type Parameters = readonly (readonly [string, string])[]

/** What is asked for on behalf of a token, besides the target. */
export function grantFor(
  grant: OnBehalfOfGrant,
  subjectToken: string,
): { grantType: string; parameters: Parameters } {
  if (grant === 'jwt_bearer')
    return {
      grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer', // RFC 7523 §2.1
      parameters: [
        ['assertion', subjectToken],
        ['requested_token_use', 'on_behalf_of'],
      ],
    }
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange', // RFC 8693 §2.1
    parameters: [
      ['subject_token', subjectToken],
      ['subject_token_type', 'urn:ietf:params:oauth:token-type:access_token'],
    ],
  }
}

/** @throws {TypeError} when there is no request, or no access token in it */
export function subjectTokenOf(subject: Subject): string {
  if (
    typeof subject !== 'string' &&
    typeof (subject as Partial<Exclude<Subject, string>> | null)?.headers !== 'object'
  )
    throw new TypeError(
      `onBehalfOf wants the incoming request, or the text of its access token, not ${kindOf(subject)}`,
    )
  const token =
    typeof subject === 'string'
      ? subject
      : /^(?:Bearer|DPoP) +([^\s,]+)$/i.exec(subject.headers.authorization ?? '')?.[1]
  if (token === undefined || token === '')
    throw new TypeError(
      'onBehalfOf wants a request with an access token, or the token itself: protect the route',
    )
  return token
}

/** What is had on behalf of a token ends with it at the latest; once it has ended, there is nothing to ask for. */
export function endWith(subjectToken: string, ask: AskForToken, now: () => number): AskForToken {
  const endsAt = expiryOf(subjectToken)
  if (endsAt === undefined) return ask
  return async unwanted => {
    if (now() >= endsAt)
      throw new TokenRequestFailure('invalid_grant', {
        permanent: true,
        description: 'the token that this is on behalf of has ended',
      })
    const answer: TokenAnswer = await ask(unwanted)
    const left = Math.max(0, (endsAt - answer.requestedAt) / 1000)
    return { ...answer, expiresIn: Math.min(answer.expiresIn ?? left, left) }
  }
}

/** `exp` of a JWT in milliseconds. It is read, not verified: whoever accepted the token has done that. */
function expiryOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp?: unknown
    }
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
