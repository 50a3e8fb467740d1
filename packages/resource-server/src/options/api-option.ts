import { isObject, parser, type Given, type Parser, type Place } from 'declared-options'
import type { FastifyInstance } from 'fastify'

/** An API as `defineApi` of fastify-api-contract returns it; any object with these members will do. */
export interface OfferedApi {
  /** Whom tokens for this API are for. */
  readonly audience: string
  /** The catalogue: each scope with what it allows. */
  readonly scopes: Readonly<Record<string, string>>
  /** A plugin that stops the start while an operation has no route. */
  requireRoutes(app: FastifyInstance): Promise<void>
}

export const apiOption: Parser<OfferedApi> = parser({
  expected: 'an API with audience, scopes and requireRoutes, such as defineApi(…) of fastify-api-contract',
  read(value, { option, toError }) {
    if (isObject(value) && Array.isArray(value['scopes']) && typeof value['over'] === 'function')
      throw toError(
        `option \`${option}\` has the operations of one client; pass the API itself, without pick(…)`,
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

/** The options with the API's audience as the default of `audience`. Members of `issuers` name theirs. */
export function withAudience(given: Given, api: OfferedApi | undefined): Given {
  return api === undefined || given['issuers'] !== undefined ? given : { audience: api.audience, ...given }
}

/** Clients request tokens for the API's audience, so each issuer's tokens must be accepted with it. @throws the error of the place */
export function checkAudiences(
  audiences: readonly string[],
  api: OfferedApi | undefined,
  { option, toError }: Place,
): void {
  if (api === undefined || audiences.includes(api.audience)) return
  const [name, hint] = option === '' ? ['audience', ', or leave `audience` out'] : [`${option}.audience`, '']
  throw toError(
    `option \`${name}\` is ${JSON.stringify(audiences)}, which lacks the audience of \`api\`; add ${JSON.stringify(api.audience)}${hint}`,
  )
}
