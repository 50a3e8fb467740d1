import { createHash } from 'node:crypto'

/** What an authorization server sees of a token request, besides the proof of who sends it. */
export interface RequestIdentity {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly clientId: string
  readonly grantType: string
  readonly parameters: readonly (readonly [string, string])[]
}

/** Which requests may share a token: those that the server cannot tell apart. A hash, without any secret in it. */
export function cacheKey({
  issuer,
  tokenEndpoint,
  clientId,
  grantType,
  parameters,
}: RequestIdentity): string {
  const seen = JSON.stringify([issuer, tokenEndpoint, clientId, grantType, parameters])
  return createHash('sha256').update(seen).digest('base64url')
}
