import { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import type { Outcome } from '../outcome.js'
import { decodeSegments } from '../verify/decode-token.js'

/** Who sent a request, as far as its token tells. */
export interface Client {
  readonly client: string | null
  /** Whether the token was verified. */
  readonly isVerified: boolean
}

export type ClientOf = (credentials: Credentials | NoCredentials) => Client

/** The claims in which issuers name the client. */
const claimNames = ['client_id', 'azp', 'appid', 'cid', 'sub'] as const
const longestToken = 16_384
const longestName = 100

/** @param remembered the verified token of an `Authorization` header, if it is cached */
export function clientReader(remembered: (header: string) => Outcome | undefined): ClientOf {
  return credentials => {
    if (typeof credentials === 'string') return { client: null, isVerified: false }
    const token = remembered(credentials.header)
    return token === undefined || token instanceof Refusal
      ? { client: claimedClient(credentials.accessToken), isVerified: false }
      : { client: token.clientId ?? token.subject, isVerified: true }
  }
}

/** The operator wants to know whose tokens have the wrong audience, although such tokens are refused unverified. */
function claimedClient(token: string): string | null {
  const decoded = token.length > longestToken ? undefined : decodeSegments(token)
  if (decoded === undefined || decoded instanceof Refusal) return null
  const { claims } = decoded
  const name = claimNames.map(claim => claims[claim]).find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, longestName) : null
}
