import { parser, type Parser } from '../parser.js'
import { instance } from './code.js'

/** The methods of an undici dispatcher that this module calls. */
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
  'a dispatcher from undici 7, such as new Agent(…) or new ProxyAgent(…)',
)

/**
 * Accepts a dispatcher from undici 7, and rejects dispatchers from other major versions. Recognizes dispatchers by their
 * methods, because each installed copy of undici has its own classes.
 */
export function dispatcher<T>(): Parser<T> {
  return parser({
    expected: anyDispatcher.expected,
    read(value, place) {
      const found = anyDispatcher.read(value, place)
      // The cast is needed because only the methods can be checked.
      if (!isOfOtherUndici(found)) return found as T
      throw place.toError(
        `option \`${place.option}\` is a dispatcher from another major version of undici; expected a dispatcher from undici 7 (npm i undici@7)`,
      )
    },
  })
}

/**
 * Returns whether a dispatcher comes from another major version of undici. Requests through such a dispatcher would
 * fail or never settle, because the handler interface has changed. To detect the version without sending a request,
 * this function passes a handler with the old interface through `compose`. Only undici 7 converts such a handler to the
 * new interface.
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

/**
 * Returns whether a dispatcher extends undici's `Dispatcher` class. The version of other dispatchers is not checked,
 * because their `compose` may work differently.
 */
function isMadeByUndici(given: object): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(given);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  )
    if ((prototype as { constructor?: { name?: unknown } }).constructor?.name === 'Dispatcher') return true
  return false
}
