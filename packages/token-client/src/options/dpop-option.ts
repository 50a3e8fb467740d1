import type { webcrypto } from 'node:crypto'
import { dpopKey } from '../acquire/dpop-key.js'
import { InvalidOptionError } from '../errors.js'
import type { Given } from './read-option.js'

/** The key that tokens are bound to, where they are. */
export function parseDpop({ dpop, tokenStore }: Given): (() => Promise<webcrypto.CryptoKeyPair>) | undefined {
  if (dpop === undefined || dpop === false) return undefined
  const { privateKey, publicKey } = (dpop ?? {}) as Partial<webcrypto.CryptoKeyPair>
  if (dpop !== true && (privateKey?.type !== 'private' || publicKey?.type !== 'public'))
    throw new InvalidOptionError(
      'option `dpop` wants true, or a CryptoKeyPair for ES256, EdDSA, RS256 or PS256',
    )
  if (tokenStore !== undefined)
    throw new InvalidOptionError(
      'options `dpop` and `tokenStore` exclude each other: a bound token is of use to the process that has its key only',
    )
  return dpopKey(dpop as true | webcrypto.CryptoKeyPair)
}
