import { isObject, parser, type Given, type Parser, type Place } from 'declared-options'
import type { FastifyInstance } from 'fastify'

/** An API contract, as returned by `defineApi` of fastify-api-contract or as any object with these members. */
export interface OfferedApi {
  /** The audience of tokens for this API. */
  readonly audience: string
  /** The scopes of the API and their descriptions. */
  readonly scopes: Readonly<Record<string, string>>
  /** A Fastify plugin that throws at start-up if an operation has no route. */
  requireRoutes(app: FastifyInstance): Promise<void>
}

export const apiOption: Parser<OfferedApi> = parser({
  expected:
    'an object with audience, scopes and requireRoutes, such as the result of defineApi(…) from fastify-api-contract',
  read(value, { option, toError }) {
    if (isObject(value) && Array.isArray(value['scopes']) && typeof value['over'] === 'function')
      throw toError(
        `option \`${option}\` is the result of pick(…), which contains the operations of only one client; pass the result of defineApi(…)`,
      )
    return isApi(value) ? value : undefined
  },
})

function isApi(value: unknown): value is OfferedApi {
  return (
    isObject(value) &&
    typeof value['audience'] === 'string' &&
    isObject(value['scopes']) &&
    typeof value['requireRoutes'] === 'function'
  )
}

/** Uses the audience of the contract as the default of `audience`, unless there are several issuers. */
export function withAudience(given: Given, api: OfferedApi | undefined): Given {
  return api === undefined || given['issuers'] !== undefined ? given : { audience: api.audience, ...given }
}

/**
 * Checks that each issuer's tokens are accepted with the audience of the contract, because clients request this
 * audience.
 * @throws the error of `place`
 */
export function checkAudiences(
  audiences: readonly string[],
  api: OfferedApi | undefined,
  { option, toError }: Place,
): void {
  if (api === undefined || audiences.includes(api.audience)) return
  const [name, hint] = option === '' ? ['audience', ', or omit `audience`'] : [`${option}.audience`, '']
  throw toError(
    `option \`${name}\` is ${JSON.stringify(audiences)}, which does not contain the audience of \`api\`; add ${JSON.stringify(api.audience)}${hint}`,
  )
}
