import type { webcrypto } from 'node:crypto'

/** Returns the DPoP key pair (RFC 9449 §4). If none was configured, generates one at the first use. */
export function dpopKey(given: true | webcrypto.CryptoKeyPair): () => Promise<webcrypto.CryptoKeyPair> {
  let pair: Promise<webcrypto.CryptoKeyPair> | undefined
  return () => (pair ??= given === true ? makeKeyPair() : Promise.resolve(given))
}

/** Generates a key pair that cannot be exported. */
async function makeKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  const { generateKeyPair } = await import('dpop')
  return generateKeyPair('ES256')
}
