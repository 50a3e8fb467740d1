import { parser, type Parser } from '../parser.js'
import { instance } from './code.js'

/** The part of undici's dispatchers that is used. */
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
 * A dispatcher of undici 7, recognized by its shape, because each copy of undici has its own classes. One of another
 * major version, such as `npm i undici` installs, is rejected.
 */
export function dispatcher<T>(): Parser<T> {
  return parser({
    expected: anyDispatcher.expected,
    read(value, place) {
      const found = anyDispatcher.read(value, place)
      // Its methods are what can be checked.
      if (!isOfOtherUndici(found)) return found as T
      throw place.toError(
        `option \`${place.option}\` is a dispatcher of another major version of undici; expected one of undici 7 (npm i undici@7)`,
      )
    },
  })
}

/**
 * Whether a dispatcher belongs to a major version of undici other than 7: calls through it would fail or never settle,
 * since handlers differ. undici 7 translates between the old and the new kind of handler in `compose`; no other version
 * does. Sends nothing.
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

/** A dispatcher that is not based on undici's class may compose differently. */
function isMadeByUndici(given: object): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(given);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  )
    if ((prototype as { constructor?: { name?: unknown } }).constructor?.name === 'Dispatcher') return true
  return false
}
