import { isObject, isPlainObject, kindOf } from 'declared-options'

const callExample = "{ path: '/receipts' }"

/**
 * Checks that the options of a call are a plain object. The client copies the options, and a copy of a class instance
 * would lose the getters of its prototype.
 * @throws {TypeError}
 */
export function checkCall(method: 'request' | 'stream', call: unknown): void {
  if (!isPlainObject(call))
    throw new TypeError(`${method} expects an object such as ${callExample}, not ${kindOf(call)}`)
}

/**
 * Checks that a path is a string.
 * @throws {TypeError}
 */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string')
    throw new TypeError(
      `\`path\` is ${kindOf(path)}; expected text that begins with a slash, such as '/receipts'`,
    )
}

/**
 * Checks the options of a call, because a misspelled option would have no effect.
 * @throws {TypeError} if the options are not an object, or an option is unknown
 */
export function checkOptions(options: unknown, known: readonly string[], example: string): void {
  if (!hasMembers(options, known))
    throw new TypeError(`the options are ${kindOf(options)}; expected an object such as ${example}`)
  for (const name of Object.keys(options))
    if (!known.includes(name))
      throw new TypeError(`unknown option \`${name}\`; expected one of ${known.join(', ')}`)
}

/**
 * Returns true for a plain object, and for any other object that has at least one of the known options as a property,
 * such as an AbortController with its `signal`.
 */
export function hasMembers(value: unknown, known: readonly string[]): value is object {
  return isPlainObject(value) || (isObject(value) && known.some(name => name in value))
}

/**
 * Checks that an argument such as `query` is a plain object, because the entries of a Map, for example, would be
 * ignored.
 * @throws {TypeError}
 */
export function checkTable(name: string, table: unknown): void {
  if (table !== undefined && !isPlainObject(table))
    throw new TypeError(`\`${name}\` is ${kindOf(table)}; expected an object`)
}

/**
 * Checks, before the call is sent, that a response schema is an object.
 * @throws {TypeError}
 */
export function checkSchema(schema: unknown): void {
  if (!isObject(schema))
    throw new TypeError(`\`response\` contains ${kindOf(schema)}; expected a schema for each status`)
}

/**
 * Checks that a signal is an AbortSignal.
 * @throws {TypeError}
 */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`\`signal\` is ${kindOf(signal)}; expected an AbortSignal`)
}

/**
 * Checks that a value is a token object and not a string.
 * @throws {TypeError}
 */
export function checkToken(token: unknown): void {
  if (!isObject(token) || !('accessToken' in token))
    throw new TypeError(
      `invalidate expects a token object that getToken or peekToken returned, not ${kindOf(token)}`,
    )
}
