import { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import { decodeSegments } from '../verify/decode-token.js'

/** Who sent a request, as far as its token tells. */
export interface Client {
  readonly client: string | null
  /** Whether the token was verified. */
  readonly isVerified: boolean
}

/** The claims in which issuers name the client. */
const claimNames = ['client_id', 'azp', 'appid', 'cid', 'sub'] as const
const longestToken = 16_384
const longestName = 100

/** The client of a token that was verified, or the one that a token claims. */
export function clientOf({ token }: Refusal, credentials: Credentials | NoCredentials): Client {
  if (token !== undefined) return { client: token.clientId ?? token.subject, isVerified: true }
  const client = typeof credentials === 'string' ? null : claimedClient(credentials.accessToken)
  return { client, isVerified: false }
}

/** The operator wants to know whose tokens have the wrong audience, although such tokens are refused unverified. */
function claimedClient(token: string): string | null {
  const decoded = token.length > longestToken ? undefined : decodeSegments(token)
  if (decoded === undefined || decoded instanceof Refusal) return null
  const { claims } = decoded
  const name = claimNames.map(claim => claims[claim]).find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, longestName) : null
}
