import type { webcrypto } from 'node:crypto'
import { DPoP, type DPoPHandle } from 'oauth4webapi'

/**
 * DPoP proofs for the token endpoint (RFC 9449 §5), shared by all requests of a client, so that a nonce of the server
 * (§8) is known to all of them. Dated by the system clock, not by the option `clock`, because the server compares them
 * with its own clock.
 */
export function dpopProofs(keyPair: () => Promise<webcrypto.CryptoKeyPair>): () => Promise<DPoPHandle> {
  let proofs: Promise<DPoPHandle> | undefined
  return () => (proofs ??= keyPair().then(pair => DPoP({}, pair)))
}
