import type { webcrypto } from 'node:crypto'
import { parser, type Parser } from 'declared-options'
import { dpopKey } from '../acquire/dpop-key.js'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

/** Parses `true`, `false` or a key pair. Error messages never contain a key. */
export const dpopOption: Parser<boolean | webcrypto.CryptoKeyPair> = parser({
  expected: 'true, or a CryptoKeyPair for ES256, EdDSA, RS256 or PS256',
  read(value) {
    if (typeof value === 'boolean') return value
    const { privateKey, publicKey } = (value ?? {}) as Partial<webcrypto.CryptoKeyPair>
    // This cast is safe because the pair consists of a private key and a public key.
    return privateKey?.type === 'private' && publicKey?.type === 'public'
      ? (value as webcrypto.CryptoKeyPair)
      : undefined
  },
})

/** Returns a function that provides the DPoP key pair, or undefined if DPoP is not used. */
export function dpopKeyOf({
  dpop,
  tokenStore,
}: Checked): (() => Promise<webcrypto.CryptoKeyPair>) | undefined {
  if (dpop === undefined || dpop === false) return undefined
  if (tokenStore !== undefined)
    throw new InvalidOptionError(
      'options `dpop` and `tokenStore` cannot be combined, because a bound token works only in the process with its key',
    )
  return dpopKey(dpop)
}
