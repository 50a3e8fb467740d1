import { count, object, shorthand, withDefault, type Declares, type Parser } from 'declared-options'
import type { RevocationSettings } from '../revocation/revocations.js'

/** How tokens are revoked before they expire. */
export interface RevocationOptions {
  /**
   * How many revocations there may be at the same time; if none has ended, another one is an error. Up to 1000000; default
   * 100000.
   */
  maxEntries?: number
}

const declaration = {
  maxEntries: withDefault(count({ min: 1, max: 1_000_000 }), 100_000),
} satisfies Declares<RevocationOptions>

const options = shorthand(
  object(declaration, 'true, false or an object such as { maxEntries: 10_000 }'),
  value => (value === true ? {} : value),
)

/** `true` stands for `{}`; `false`, for no revocations. */
export const revocationOption: Parser<RevocationSettings | undefined> = {
  ...options,
  read: (value, place) => (value === false ? undefined : options.read(value, place)),
  absent: () => undefined,
}
