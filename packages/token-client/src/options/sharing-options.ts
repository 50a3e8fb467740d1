import { InvalidOptionError } from '../errors.js'
import { createSeal, noSeal, type Seal } from '../share/seal.js'
import type { Sharing } from '../share/share-tokens.js'
import type { TokenStore } from '../share/token-store.js'
import { milliseconds, type Given } from './read-option.js'

/** Where processes share their tokens, and how tokens are kept there. */
export interface TokenStoreOptions {
  /** The store, such as {@link redisTokenStore}. */
  store: TokenStore
  /**
   * Keys that encrypt tokens in the store (AES-256-GCM): 32 bytes each, in base64. The first one encrypts, all of them
   * decrypt. `'none'`: tokens are stored unencrypted.
   */
  encryptionKeys: readonly string[] | 'none'
  /** How long the client waits for the store before it continues without it, in milliseconds. Default 250. */
  timeoutMs?: number
}

export type SharingSettings = Pick<Sharing, 'store' | 'seal' | 'storeTimeoutMs'>

const known = ['store', 'encryptionKeys', 'timeoutMs']
const methods = ['get', 'set', 'lock', 'unlock'] as const

export function parseSharing({ tokenStore: given }: Given): SharingSettings | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null)
    throw new InvalidOptionError(
      'option `tokenStore` wants an object such as { store, encryptionKeys: [key] }',
    )
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new InvalidOptionError(`there is no option \`tokenStore.${name}\`; there are ${known.join(', ')}`)
  const options = given as Given
  return {
    store: parseStore(options),
    seal: parseKeys(options),
    storeTimeoutMs: milliseconds(options, 'timeoutMs', 250, 'tokenStore.'),
  }
}

function parseStore({ store }: Given): TokenStore {
  const given = store as Partial<TokenStore> | undefined
  if (!methods.every(method => typeof given?.[method] === 'function'))
    throw new InvalidOptionError(
      'option `tokenStore.store` wants a store with get, set, lock and unlock, such as redisTokenStore(new Redis(…))',
    )
  return given as TokenStore
}

function parseKeys({ encryptionKeys: keys }: Given): Seal {
  if (keys === 'none') return noSeal
  const ring = Array.isArray(keys) ? keys.map(key => Buffer.from(String(key), 'base64')) : []
  if (ring.length === 0 || ring.some(key => key.length !== 32))
    throw new InvalidOptionError(
      "option `tokenStore.encryptionKeys` wants a list of keys of 32 bytes in base64 (`openssl rand -base64 32` makes one; is the environment variable set?), or 'none' to store tokens unencrypted",
    )
  return createSeal(ring)
}
