import { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import { decodeSegments } from '../verify/decode-token.js'

/** The client that a request's token names. */
export interface Client {
  readonly client: string | null
  /** Whether the token was verified. */
  readonly isVerified: boolean
}

/** The claims that can contain the client id, in order of preference. */
const claimNames = ['client_id', 'azp', 'appid', 'cid', 'sub'] as const
const longestToken = 16_384
const longestName = 100

/** Returns the client that is named in a token, and whether the token was verified. */
export function clientOf({ token }: Refusal, credentials: Credentials | NoCredentials): Client {
  if (token !== undefined) return { client: token.clientId ?? token.subject, isVerified: true }
  const client = typeof credentials === 'string' ? null : claimedClient(credentials.accessToken)
  return { client, isVerified: false }
}

/** Reads the client id from an unverified token, so that operators can see which client sends invalid tokens. */
function claimedClient(token: string): string | null {
  const decoded = token.length > longestToken ? undefined : decodeSegments(token)
  if (decoded === undefined || decoded instanceof Refusal) return null
  const { claims } = decoded
  const name = claimNames.map(claim => claims[claim]).find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, longestName) : null
}
