import { inspect } from 'node:util'
import { OpenApiError } from './errors.js'

/** Options of `contractFromOpenApi`. */
export interface FromOpenApiOptions {
  /** The name of the document, such as `openapi.json`. The generated file contains this name in a comment. */
  readonly source: string
  /** The audience of access tokens for the API. Default: the URL of the document's first server. */
  readonly audience?: string
  /** The name of the exported contract, such as `receiptsApi`. By default, the name is derived from the document's title. */
  readonly name?: string
  /**
   * The status codes that a `default` response covers, unless the operation defines separate responses for them. Default: 400,
   * 401, 403, 404, 409, 422, 429, 500 and 503.
   */
  readonly defaultStatuses?: readonly number[]
}

/** The default value of the option `defaultStatuses`. */
export const usualStatuses: readonly number[] = [400, 401, 403, 404, 409, 422, 429, 500, 503]

/**
 * Validates the options at runtime, because JavaScript callers get no type checks.
 * @throws {OpenApiError} if an option is invalid
 */
export function checkOptions(options: FromOpenApiOptions): void {
  const { source, ...others }: Readonly<Record<string, unknown>> = { ...options }
  expect(typeof source === 'string', 'source', source, 'the file name of the document, such as openapi.json')
  for (const [name, value] of Object.entries(others)) {
    if (name === 'audience' || name === 'name')
      expect(value === undefined || typeof value === 'string', name, value, 'text')
    else if (name === 'defaultStatuses')
      expect(value === undefined || areStatuses(value), name, value, 'a list of status codes from 200 to 599')
    else
      throw new OpenApiError(
        `There is no option ${name}; the valid options are source, audience, name and defaultStatuses.`,
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
