import type { webcrypto } from 'node:crypto'
import { DPoP, type DPoPHandle } from 'oauth4webapi'

/**
 * Creates the DPoP proofs for the token endpoint (RFC 9449 §5). All requests of a client share one handle, so that each
 * uses the latest nonce of the server (§8). Proofs use the system clock, because the server compares them with its own
 * clock.
 */
export function dpopProofs(keyPair: () => Promise<webcrypto.CryptoKeyPair>): () => Promise<DPoPHandle> {
  let proofs: Promise<DPoPHandle> | undefined
  return () => (proofs ??= keyPair().then(pair => DPoP({}, pair)))
}
