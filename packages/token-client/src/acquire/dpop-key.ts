import type { webcrypto } from 'node:crypto'

/**
 * Returns a function that provides the DPoP key pair (RFC 9449 §4). If no key pair is given, one is generated on first
 * use.
 */
export function dpopKey(given: true | webcrypto.CryptoKeyPair): () => Promise<webcrypto.CryptoKeyPair> {
  let pair: Promise<webcrypto.CryptoKeyPair> | undefined
  return () => (pair ??= given === true ? makeKeyPair() : Promise.resolve(given))
}

/** Generates a key pair whose private key cannot be exported. */
async function makeKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  const { generateKeyPair } = await import('dpop')
  return generateKeyPair('ES256')
}
