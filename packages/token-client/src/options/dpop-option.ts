import type { webcrypto } from 'node:crypto'
import { parser, type Parser } from 'declared-options'
import { dpopKey } from '../acquire/dpop-key.js'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

/** true, false, or a key pair; no error shows a key. */
export const dpopOption: Parser<boolean | webcrypto.CryptoKeyPair> = parser({
  expected: 'true, or a CryptoKeyPair for ES256, EdDSA, RS256 or PS256',
  read(value) {
    if (typeof value === 'boolean') return value
    const { privateKey, publicKey } = (value ?? {}) as Partial<webcrypto.CryptoKeyPair>
    // The two types are what makes it a key pair.
    return privateKey?.type === 'private' && publicKey?.type === 'public'
      ? (value as webcrypto.CryptoKeyPair)
      : undefined
  },
})

/** The key that tokens are bound to, where they are. */
export function dpopKeyOf({
  dpop,
  tokenStore,
}: Checked): (() => Promise<webcrypto.CryptoKeyPair>) | undefined {
  if (dpop === undefined || dpop === false) return undefined
  if (tokenStore !== undefined)
    throw new InvalidOptionError(
      'options `dpop` and `tokenStore` exclude each other: a bound token works only in the process that has its key',
    )
  return dpopKey(dpop)
}
