import { createHash, X509Certificate } from 'node:crypto'
import { privateKeyObject, type PrivateKeyInput } from './private-key.js'

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Returns the JWS header parameters that identify a certificate: `x5t`, `x5t#S256` and `x5c` (RFC 7515 §4.1.6–8). */
export function certificateHeader(pem: string): Record<string, string | string[]> {
  const chain = (pem.match(pemBlock) ?? []).map(block => new X509Certificate(block).raw)
  const [first] = chain
  if (first === undefined) throw new TypeError('the certificate is not in PEM format')
  const thumbprint = (hash: string): string => createHash(hash).update(first).digest('base64url')
  return {
    x5t: thumbprint('sha1'),
    'x5t#S256': thumbprint('sha256'),
    x5c: chain.map(raw => raw.toString('base64')),
  }
}

/**
 * Checks that a private key matches a certificate.
 * @throws {TypeError} if the key does not match
 */
export function checkPair(certificate: string, key: PrivateKeyInput): void {
  if (!new X509Certificate(certificate).checkPrivateKey(privateKeyObject(key)))
    throw new TypeError('the certificate does not match the private key')
}
