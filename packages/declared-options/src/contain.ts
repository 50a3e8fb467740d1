import type { Place } from './place.js'

/**
 * Runs `read`, which may execute code of the application, such as a getter, a Proxy trap or a callback. If that code
 * throws, `contain` throws a library error with the thrown value as its `cause`. The message does not show the thrown
 * value, because that value may contain secrets.
 * @param what the name of the option for the error message, such as "option `clock`"
 * @param read the function to run; errors that it creates with `place.toError` are rethrown unchanged
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
