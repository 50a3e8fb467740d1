import type { Place } from './place.js'

/**
 * Runs a step that may call the caller's code: getters, proxies and functions. Any thrown value, even `undefined`, becomes the
 * `cause` of a library error. The message does not include the value, because it may contain secrets.
 * @param what the name of the option, such as "option `clock`", for the message
 * @param read the step; errors that it creates with the given place are rethrown unchanged
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
      `${what} cannot be read: its getter or function threw an error (see \`cause\`)`,
    )
    Object.defineProperty(error, 'cause', { value: thrown, enumerable: false })
    throw error
  }
}
