import { isObject, parser, type Given, type Parser, type Place } from 'declared-options'
import type { FastifyInstance } from 'fastify'

/** An API contract: the result of `defineApi` from fastify-api-contract, or any object with these members. */
export interface OfferedApi {
  /** The audience of tokens for this API. */
  readonly audience: string
  /** Maps each scope of the API to its description. */
  readonly scopes: Readonly<Record<string, string>>
  /** A Fastify plugin that throws at startup if an operation in the contract has no route. */
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

/** Sets the `audience` option to the API contract's audience by default, unless the `issuers` option is set. */
export function withAudience(given: Given, api: OfferedApi | undefined): Given {
  return api === undefined || given['issuers'] !== undefined ? given : { audience: api.audience, ...given }
}

/**
 * Checks that the audiences accepted for an issuer include the audience in the API contract, because clients request
 * tokens for that audience.
 * @throws {InvalidOptionError}
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
