import type { ApiUse } from 'fastify-api-contract'
import type { CallsWith } from './config.js'

/** Options of the token client for calls of an API's operations: scopes and audience come from its contract. */
export function clientOptions<Use extends ApiUse>({ audience, ...connection }: CallsWith, used: Use) {
  return { ...connection, api: { ...used, audience } }
}
