import {
  instance,
  milliseconds,
  object,
  parser,
  withDefault,
  type Declares,
  type Parser,
} from 'declared-options'
import { createSeal, noSeal } from '../share/seal.js'
import type { Sharing } from '../share/share-tokens.js'
import type { TokenStore } from '../share/token-store.js'

/** The store through which processes share tokens, and the encryption of the stored tokens. */
export interface TokenStoreOptions {
  /** The store, such as one that {@link redisTokenStore} returns. */
  store: TokenStore
  /**
   * The keys that encrypt tokens in the store with AES-256-GCM. Each key has 32 bytes and is encoded in base64. The
   * first key encrypts, and all keys decrypt. `'none'` stores tokens unencrypted.
   */
  encryptionKeys: readonly string[] | 'none'
  /**
   * The time limit of one store operation in milliseconds, at most 60000. When the limit is reached, the client
   * continues without the store. Default 250.
   */
  timeoutMs?: number
}

export type SharingSettings = Pick<Sharing, 'store' | 'seal' | 'storeTimeoutMs'>

const declaration = {
  store: instance<TokenStore>(
    ['get', 'set', 'lock', 'unlock'],
    'a store with the methods get, set, lock and unlock, such as redisTokenStore(new Redis(…))',
  ),
  encryptionKeys: parser<readonly string[] | 'none'>({
    expected:
      'a list of base64-encoded 32-byte keys (openssl rand -base64 32 generates one), or the string none to store tokens unencrypted',
    fromText: true,
    read(value, { option, toError }) {
      if (value === 'none') return value
      if (Array.isArray(value) && value.length > 0 && value.every(isKey)) return value
      throw toError(
        `option \`${option}\` is not a list of base64-encoded 32-byte keys (is the environment variable set?); \`openssl rand -base64 32\` generates one, and 'none' stores tokens unencrypted`,
      )
    },
  }),
  timeoutMs: withDefault(milliseconds({ min: 1, max: 60_000 }), 250),
} satisfies Declares<TokenStoreOptions>

export const tokenStoreOption: Parser<TokenStoreOptions> = object(
  declaration,
  'an object such as { store: redisTokenStore(redis), encryptionKeys: [key] }',
)

export function sharingOf(given: TokenStoreOptions | undefined): SharingSettings | undefined {
  if (given === undefined) return undefined
  const { store, encryptionKeys, timeoutMs = 250 } = given
  const seal =
    encryptionKeys === 'none' ? noSeal : createSeal(encryptionKeys.map(key => Buffer.from(key, 'base64')))
  return { store, seal, storeTimeoutMs: timeoutMs }
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64').length === 32
}
