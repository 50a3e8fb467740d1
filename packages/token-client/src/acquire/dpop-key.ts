import type { webcrypto } from 'node:crypto'

/** The key pair that tokens are bound to (RFC 9449 §4): the given one, or one that is generated at the first use. */
export function dpopKey(given: true | webcrypto.CryptoKeyPair): () => Promise<webcrypto.CryptoKeyPair> {
  let pair: Promise<webcrypto.CryptoKeyPair> | undefined
  return () => (pair ??= given === true ? makeKeyPair() : Promise.resolve(given))
}

/** Not extractable: it never leaves this process. */
async function makeKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  const { generateKeyPair } = await import('dpop')
  return generateKeyPair('ES256')
}
