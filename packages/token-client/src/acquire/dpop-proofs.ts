import type { webcrypto } from 'node:crypto'
import { DPoP, modifyAssertion, type DPoPHandle } from 'oauth4webapi'

/**
 * Proofs of a key for the token endpoint (RFC 9449 §5). Whatever a client asks for, it has these: the nonces that a
 * server gave once (§8) are known to all its requests.
 * @param now milliseconds since the epoch
 */
export function dpopProofs(
  keyPair: () => Promise<webcrypto.CryptoKeyPair>,
  now: () => number,
): () => Promise<DPoPHandle> {
  let proofs: Promise<DPoPHandle> | undefined
  const make = async (): Promise<DPoPHandle> =>
    DPoP({}, await keyPair(), {
      [modifyAssertion](_header, payload) {
        payload['iat'] = Math.floor(now() / 1000)
      },
    })
  return () => (proofs ??= make())
}
