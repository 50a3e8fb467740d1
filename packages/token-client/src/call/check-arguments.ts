import { isObject, isPlainObject, kindOf } from 'declared-options'

const callExample = "{ path: '/receipts' }"

/** @throws {TypeError} if a call is not an object literal: of others, a copy has none of their getters */
export function checkCall(method: 'request' | 'stream', call: unknown): void {
  if (!isPlainObject(call))
    throw new TypeError(`${method} expects an object such as ${callExample}, not ${kindOf(call)}`)
}

/** @throws {TypeError} if a path is not text */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string')
    throw new TypeError(
      `\`path\` is ${kindOf(path)}; expected text that begins with a slash, such as '/receipts'`,
    )
}

/**
 * A misspelt option would silently do nothing.
 * @throws {TypeError} if options are not an object, or one of them is unknown
 */
export function checkOptions(options: unknown, known: readonly string[], example: string): void {
  if (!hasMembers(options, known))
    throw new TypeError(`options are ${kindOf(options)}; expected an object such as ${example}`)
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new TypeError(`there is no option \`${name}\` here; there are ${known.join(', ')}`)
}

/** Whether it is an object literal, or has at least one of these members, as an AbortController has `signal`. */
export function hasMembers(value: unknown, known: readonly string[]): value is object {
  return isPlainObject(value) || (isObject(value) && known.some(name => name in value))
}

/** @throws {TypeError} if a table, such as `query`, is not an object literal: of a Map, a copy has nothing */
export function checkTable(name: string, table: unknown): void {
  if (table !== undefined && !isPlainObject(table))
    throw new TypeError(`\`${name}\` is ${kindOf(table)}; expected an object`)
}

/** @throws {TypeError} if the schema of an answer is none, before anything is sent */
export function checkSchema(schema: unknown): void {
  if (!isObject(schema))
    throw new TypeError(`\`response\` has ${kindOf(schema)}; each status needs a schema, which is an object`)
}

/** @throws {TypeError} if a signal is not an AbortSignal */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`\`signal\` is ${kindOf(signal)}; expected an AbortSignal`)
}

/** @throws {TypeError} if it is not a token, but for example its text */
export function checkToken(token: unknown): void {
  if (!isObject(token) || !('accessToken' in token))
    throw new TypeError(`invalidate expects a token from getToken or peekToken, not ${kindOf(token)}`)
}
