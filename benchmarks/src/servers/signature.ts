import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Run } from '../harness/guard-requests.js'

/** Verifies the signature of one compact JWS by `node:crypto`, over and over. */
export function signatureOf(jwk: JsonWebKey, token: string): Run {
  const isValid = verifierOf(createPublicKey({ key: jwk, format: 'jwk' }))
  return count => {
    for (let index = 0; index < count; index += 1)
      if (!isValid(...partsOf(token))) throw new Error('the signature does not fit')
  }
}

/** What has been signed, and the signature. */
export function partsOf(token: string): [data: Buffer, signature: Buffer] {
  const end = token.lastIndexOf('.')
  return [Buffer.from(token.slice(0, end), 'latin1'), Buffer.from(token.slice(end + 1), 'base64url')]
}

export function verifierOf(key: KeyObject): (data: Buffer, signature: Buffer) => boolean {
  if (key.asymmetricKeyType === 'rsa') return (data, signature) => verify('sha256', data, key, signature)
  if (key.asymmetricKeyType === 'ed25519') return (data, signature) => verify(null, data, key, signature)
  const ecdsa = { key, dsaEncoding: 'ieee-p1363' } as const
  return (data, signature) => verify('sha256', data, ecdsa, signature)
}
