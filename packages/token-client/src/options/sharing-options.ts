import { InvalidOptionError } from '../errors.js'
import { createSeal, noSeal } from '../share/seal.js'
import type { Sharing } from '../share/share-tokens.js'
import type { TokenStore } from '../share/token-store.js'
import { milliseconds, type Given } from './read-option.js'

/** Where processes share tokens, and how they lie there. */
export type SharingSettings = Pick<Sharing, 'store' | 'seal' | 'storeTimeoutMs'>

export function parseSharing(options: Given): SharingSettings | undefined {
  const { tokenStore: store, tokenStoreKeys: keys, tokenStoreTimeoutMs: timeout } = options
  if (store === undefined && keys === undefined && timeout === undefined) return undefined
  const storeTimeoutMs = milliseconds(options, 'tokenStoreTimeoutMs', 250)
  const methods = ['get', 'set', 'lock', 'unlock'] as const
  const given = store as Partial<TokenStore> | undefined
  if (!methods.every(method => typeof given?.[method] === 'function'))
    throw new InvalidOptionError(
      'option `tokenStore` wants a store with get, set, lock and unlock, such as redisTokenStore(new Redis(…))',
    )
  if (keys === 'none') return { store: given as TokenStore, seal: noSeal, storeTimeoutMs }
  const ring = Array.isArray(keys) ? keys.map(key => Buffer.from(String(key), 'base64')) : []
  if (ring.length === 0 || ring.some(key => key.length !== 32))
    throw new InvalidOptionError(
      "option `tokenStoreKeys` wants a list of keys of 32 bytes in base64 (`openssl rand -base64 32` makes one; is the environment variable set?), or 'none' for tokens that lie in the store unencrypted",
    )
  return { store: given as TokenStore, seal: createSeal(ring), storeTimeoutMs }
}
