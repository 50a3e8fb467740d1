import { createHash } from 'node:crypto'
import type { TokenRequest } from './request-token.js'

/** The server, as the options name it. */
interface ServerIdentity {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
}

/** Requests may share a token if the server cannot tell them apart. A hash, because parameters can be secret. */
export function cacheKey(
  { issuer, tokenEndpoint }: ServerIdentity,
  { clientId, grantType, parameters }: TokenRequest,
): string {
  const seen = JSON.stringify([issuer, tokenEndpoint, clientId, grantType, parameters])
  return createHash('sha256').update(seen).digest('base64url')
}
