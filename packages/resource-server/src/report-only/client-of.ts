import { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import { decodeSegments } from '../verify/decode-token.js'

/** The client of a request, according to its token. */
export interface Client {
  readonly client: string | null
  /** Whether the token was verified. */
  readonly isVerified: boolean
}

/** The claims that can contain the client. */
const claimNames = ['client_id', 'azp', 'appid', 'cid', 'sub'] as const
const longestToken = 16_384
const longestName = 100

/** Returns the client of a verified token, or the client that an unverified token claims. */
export function clientOf({ token }: Refusal, credentials: Credentials | NoCredentials): Client {
  if (token !== undefined) return { client: token.clientId ?? token.subject, isVerified: true }
  const client = typeof credentials === 'string' ? null : claimedClient(credentials.accessToken)
  return { client, isVerified: false }
}

/** Reads the client from an unverified token: operators want to know which client uses the wrong audience. */
function claimedClient(token: string): string | null {
  const decoded = token.length > longestToken ? undefined : decodeSegments(token)
  if (decoded === undefined || decoded instanceof Refusal) return null
  const { claims } = decoded
  const name = claimNames.map(claim => claims[claim]).find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, longestName) : null
}
