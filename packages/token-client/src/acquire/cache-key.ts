import { createHash } from 'node:crypto'
import type { TokenRequest } from './request-token.js'

interface ServerIdentity {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
}

/**
 * Returns the cache key of a token request. Requests with the same key share a token. The key is a hash, because the
 * parameters can contain secrets.
 */
export function cacheKey(
  { issuer, tokenEndpoint }: ServerIdentity,
  { clientId, grantType, parameters }: TokenRequest,
): string {
  const seen = JSON.stringify([issuer, tokenEndpoint, clientId, grantType, parameters])
  return createHash('sha256').update(seen).digest('base64url')
}
