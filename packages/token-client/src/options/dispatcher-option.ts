import { dispatcher, parser, type Parser } from 'declared-options'
import type { Dispatcher } from 'undici'
import { isOfOtherUndici } from '../call/undici.js'

const anyDispatcher = dispatcher<Dispatcher>()

/** A dispatcher of undici 7, and not of another major version, which `npm i undici` installs. */
export const dispatcherOption: Parser<Dispatcher> = parser({
  expected: anyDispatcher.expected,
  read(value, place) {
    const found = anyDispatcher.read(value, place)
    if (!isOfOtherUndici(found)) return found
    throw place.toError(
      `option \`${place.option}\` is a dispatcher of another major version of undici; expected one of undici 7 (npm i undici@7)`,
    )
  },
})
