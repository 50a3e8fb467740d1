import { parser, type Parser } from '../parser.js'
import { instance } from './code.js'

/** The methods of undici dispatchers that are used here. */
interface DispatcherLike {
  dispatch(options: object, handler: object): unknown
  compose(
    interceptor: (
      dispatch: unknown,
    ) => (options: object, handler: { readonly onRequestStart?: unknown }) => boolean,
  ): DispatcherLike
}

const anyDispatcher = instance<DispatcherLike>(
  ['dispatch', 'compose'],
  'a dispatcher of undici 7, such as new Agent(…) or new ProxyAgent(…)',
)

/**
 * Accepts a dispatcher of undici 7. It is recognized by its methods, because each installed copy of undici has its own classes.
 * Dispatchers of other major versions are rejected, including the one that `npm i undici` installs.
 */
export function dispatcher<T>(): Parser<T> {
  return parser({
    expected: anyDispatcher.expected,
    read(value, place) {
      const found = anyDispatcher.read(value, place)
      // The cast: only the methods can be checked.
      if (!isOfOtherUndici(found)) return found as T
      throw place.toError(
        `option \`${place.option}\` is a dispatcher of another major version of undici; expected a dispatcher of undici 7 (npm i undici@7)`,
      )
    },
  })
}

/**
 * Whether a dispatcher belongs to another major version of undici. Requests through such a dispatcher would fail or never settle,
 * because the handler interfaces differ. Only `compose` of undici 7 translates an old handler into a new one, so this function
 * dispatches with an old handler and looks for the translation. It sends no request.
 */
function isOfOtherUndici(given: DispatcherLike): boolean {
  if (!isMadeByUndici(given)) return false
  let translated = false
  const composed = given.compose(() => (_, handler) => {
    translated = typeof handler.onRequestStart === 'function'
    return true
  })
  const oldHandler = { onConnect() {}, onError() {} }
  composed.dispatch({ origin: 'http://localhost', path: '/', method: 'GET' }, oldHandler)
  return !translated
}

/** Whether a dispatcher extends undici's class. Other implementations may compose differently, so they are not tested. */
function isMadeByUndici(given: object): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(given);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  )
    if ((prototype as { constructor?: { name?: unknown } }).constructor?.name === 'Dispatcher') return true
  return false
}
