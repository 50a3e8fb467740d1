import type { Place } from './place.js'

/**
 * Reads options where code of others runs: getters, proxies, functions that are called once. Whatever they throw, `undefined`
 * too, becomes an error of the place; its `cause` is what was thrown, which no message shows because it may hold secrets.
 * @param what what is read, such as "option `clock`"
 * @param read gets the place whose errors pass unchanged
 */
export function contain<T>(what: string, place: Place, read: (place: Place) => T): T {
  const own = new WeakSet<object>()
  const toError = (message: string): Error => {
    const error = place.toError(message)
    own.add(error)
    return error
  }
  try {
    return read({ ...place, toError })
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && own.has(thrown)) throw thrown
    const error = place.toError(
      `${what} cannot be read: a getter or function of it threw (\`cause\` is what it threw)`,
    )
    Object.defineProperty(error, 'cause', { value: thrown, enumerable: false })
    throw error
  }
}
