import type { Dispatcher } from 'undici'

/**
 * Whether a dispatcher belongs to a major version of undici other than 7, such as 8: calls through it would fail or never
 * settle, since handlers differ. undici 7 translates between the old and the new kind of handler in `compose`; no other
 * version does. Sends nothing.
 */
export function isOfOtherUndici(dispatcher: Dispatcher): boolean {
  if (!isMadeByUndici(dispatcher)) return false
  let translated = false
  const composed = dispatcher.compose(() => (_, handler) => {
    translated = typeof handler.onRequestStart === 'function'
    return true
  })
  const oldHandler = { onConnect() {}, onError() {} }
  composed.dispatch({ origin: 'http://localhost', path: '/', method: 'GET' }, oldHandler)
  return !translated
}

/** A dispatcher that was written without undici's class may compose in its own way. */
function isMadeByUndici(dispatcher: object): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(dispatcher);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  )
    if ((prototype as { constructor?: { name?: unknown } }).constructor?.name === 'Dispatcher') return true
  return false
}
