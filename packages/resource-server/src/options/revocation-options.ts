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

/** How tokens are revoked before they expire. */
export interface RevocationOptions {
  /**
   * Where replicas share revocations, such as `redisRevocationStore(…)`. Default: in this process, which forgets them when
   * it ends.
   */
  store?: RevocationStore
  /**
   * What happens to tokens that are not known to be revoked while the store cannot be used, so that revocations by other
   * replicas may be unknown. `accept`: they are accepted. `refuse`: they get 503. Required with `store`.
   */
  whileUnavailable?: 'accept' | 'refuse'
  /**
   * How many revocations there may be at the same time; if none has ended, another one is an error. Up to 1000000; default
   * 100000.
   */
  maxEntries?: number
}

const declaration = {
  store: optional(
    instance<RevocationStore>(
      ['put', 'read'],
      'an object with put(id, value, ttlMs) and read(cursor), such as redisRevocationStore(redis)',
    ),
  ),
  whileUnavailable: optional(oneOf(['accept', 'refuse'])),
  maxEntries: withDefault(count({ min: 1, max: 1_000_000 }), 100_000),
} satisfies Declares<RevocationOptions>

const options = shorthand(
  object(declaration, 'true, false or an object such as { store, whileUnavailable: "refuse" }'),
  value => (value === true ? {} : value),
)

/** `true` stands for `{}`; `false`, for no revocations. */
export const revocationOption: Parser<RevocationSettings | undefined> = {
  ...options,
  read(value, place) {
    if (value === false) return undefined
    const { store, whileUnavailable, maxEntries } = options.read(value, place)
    const { option, toError } = place
    if (store !== undefined && whileUnavailable === undefined)
      throw toError(
        `option \`${option}.whileUnavailable\` is missing; expected accept or refuse: what happens to tokens while the store cannot be used, so that they may be revoked without this process knowing it`,
      )
    if (store === undefined && whileUnavailable !== undefined)
      throw toError(`option \`${option}.whileUnavailable\` does nothing without \`${option}.store\``)
    const sharing =
      store === undefined || whileUnavailable === undefined
        ? undefined
        : { store, whileUnavailable, maxEntries }
    return { maxEntries, sharing }
  },
  absent: () => undefined,
}
