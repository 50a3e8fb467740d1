import {
  count,
  instance,
  object,
  oneOf,
  optional,
  shorthand,
  withDefault,
  type Declares,
  type Parser,
} from 'declared-options'
import type { RevocationStore } from '../revocation/revocation-store.js'
import type { RevocationSettings } from '../revocation/revocations.js'

/** Options for revoking tokens before they expire. */
export interface RevocationOptions {
  /**
   * The store in which replicas share revocations, such as `redisRevocationStore(…)`. Default: revocations are kept
   * in the memory of this process.
   */
  store?: RevocationStore
  /**
   * How tokens are treated while the store is unavailable, because this process may then not know the latest
   * revocations from other replicas. With `accept`, tokens are accepted. With `refuse`, requests receive a 503
   * response. Known revocations always apply. Required if `store` is set.
   */
  whileUnavailable?: 'accept' | 'refuse'
  /**
   * The maximum number of active revocations. When this number is reached, `revoke` fails. Maximum 1000000; default
   * 100000.
   */
  maxEntries?: number
}

const declaration = {
  store: optional(
    instance<RevocationStore>(
      ['put', 'read'],
      'an object with the methods put(id, value, ttlMs) and read(cursor), such as the result of redisRevocationStore(redis)',
    ),
  ),
  whileUnavailable: optional(oneOf(['accept', 'refuse'])),
  maxEntries: withDefault(count({ min: 1, max: 1_000_000 }), 100_000),
} satisfies Declares<RevocationOptions>

const options = shorthand(
  object(declaration, 'true, false or an object such as { store, whileUnavailable: "refuse" }'),
  value => (value === true ? {} : value),
)

/** Parses the `revocation` option. `true` is short for `{}`, and `false` disables revocation. */
export const revocationOption: Parser<RevocationSettings | undefined> = {
  ...options,
  read(value, place) {
    if (value === false) return undefined
    const { store, whileUnavailable, maxEntries } = options.read(value, place)
    const { option, toError } = place
    if (store !== undefined && whileUnavailable === undefined)
      throw toError(
        `option \`${option}.whileUnavailable\` is missing; expected 'accept' or 'refuse'. This option decides what happens to tokens while the store is unavailable, when revocations from other processes may be unknown`,
      )
    if (store === undefined && whileUnavailable !== undefined)
      throw toError(`option \`${option}.whileUnavailable\` has no effect without \`${option}.store\``)
    const sharing =
      store === undefined || whileUnavailable === undefined
        ? undefined
        : { store, whileUnavailable, maxEntries }
    return { maxEntries, sharing }
  },
  absent: () => undefined,
}
