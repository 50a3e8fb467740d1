import { inspect } from 'node:util'
import { OpenApiError } from './errors.js'

/** Options of `contractFromOpenApi`. */
export interface FromOpenApiOptions {
  /** The name of the document, such as `openapi.json`. The generated file mentions it in a comment. */
  readonly source: string
  /** The audience of access tokens for the API. Default: the URL of the document's first server. */
  readonly audience?: string
  /** The name of the exported contract. Default: derived from the document's title, such as `receiptsApi`. */
  readonly name?: string
  /** The statuses that a `default` response covers, unless the operation lists them. Default: nine common error statuses. */
  readonly defaultStatuses?: readonly number[]
}

/** The default of the option `defaultStatuses`. */
export const usualStatuses: readonly number[] = [400, 401, 403, 404, 409, 422, 429, 500, 503]

/** Checks the types of the options, for callers in JavaScript. @throws {OpenApiError} if an option is invalid */
export function checkOptions(options: FromOpenApiOptions): void {
  const { source, ...others }: Readonly<Record<string, unknown>> = { ...options }
  expect(typeof source === 'string', 'source', source, 'the name of the document, such as openapi.json')
  for (const [name, value] of Object.entries(others)) {
    if (name === 'audience' || name === 'name')
      expect(value === undefined || typeof value === 'string', name, value, 'text')
    else if (name === 'defaultStatuses')
      expect(value === undefined || areStatuses(value), name, value, 'a list of statuses from 200 to 599')
    else
      throw new OpenApiError(
        `There is no option ${name}; the options are source, audience, name and defaultStatuses.`,
      )
  }
}

function areStatuses(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(status => Number.isInteger(status) && Number(status) >= 200 && Number(status) < 600)
  )
}

function expect(isRight: boolean, name: string, value: unknown, expected: string): void {
  if (isRight) return
  throw new OpenApiError(`The option ${name} is ${inspect(value).slice(0, 100)}; expected ${expected}.`)
}
