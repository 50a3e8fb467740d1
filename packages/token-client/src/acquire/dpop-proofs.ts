import type { webcrypto } from 'node:crypto'
import { DPoP, type DPoPHandle } from 'oauth4webapi'

/**
 * Proofs of a key for the token endpoint (RFC 9449 §5). Whatever a client asks for, it has these: the nonces that a
 * server gave once (§8) are known to all its requests. Dated by the machine's clock whatever the client goes by: the
 * server compares them with its own.
 */
export function dpopProofs(keyPair: () => Promise<webcrypto.CryptoKeyPair>): () => Promise<DPoPHandle> {
  let proofs: Promise<DPoPHandle> | undefined
  return () => (proofs ??= keyPair().then(pair => DPoP({}, pair)))
}
