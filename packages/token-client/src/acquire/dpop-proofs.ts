import type { webcrypto } from 'node:crypto'
import { DPoP, type DPoPHandle } from 'oauth4webapi'

/**
 * Returns a function that provides oauth4webapi's DPoP handle for the token endpoint (RFC 9449 §5). All requests of a
 * client share one handle, so that each request uses the server's latest nonce (RFC 9449 §8).
 */
export function dpopProofs(keyPair: () => Promise<webcrypto.CryptoKeyPair>): () => Promise<DPoPHandle> {
  let proofs: Promise<DPoPHandle> | undefined
  return () => (proofs ??= keyPair().then(pair => DPoP({}, pair)))
}
