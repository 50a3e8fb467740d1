import type { ApiUse } from 'fastify-api-contract'
import type { CallsWith } from './config.js'

/** Returns the token client's options for calling an API; scopes and audience come from the API's contract. */
export function clientOptions<Use extends ApiUse>({ audience, ...connection }: CallsWith, used: Use) {
  return { ...connection, api: { ...used, audience } }
}
