import { pickKey, type KeySet } from './key-set.js'
import type { PublicKey } from './public-key.js'

/** Creates a key set from the `keys` option. The keys never change, so tokens signed with any other key are refused. */
export function createStaticKeySet(keys: readonly PublicKey[]): KeySet {
  const known = new Set(keys)
  const use: KeySet['use'] = (kid, algorithm) => pickKey(keys, kid, algorithm)
  return {
    use,
    lookUp: { verify: findNothing, explain: findNothing },
    reuse: key => known.has(key),
    async load() {},
    state: () => ({ kids: keys.map(({ kid }) => kid), fetchedAt: null, failures: 0 }),
  }
}

async function findNothing(): Promise<undefined> {
  return undefined
}
