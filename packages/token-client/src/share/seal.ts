import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Encrypts and authenticates values, so that access to the store is not enough to read or forge tokens. */
export interface Seal {
  encrypt(text: string, key: string): string
  /**
   * Decrypts the value of a store key. Returns undefined unless the value was encrypted for this store key and with a
   * known encryption key.
   */
  decrypt(sealed: string, key: string): string | undefined
}

/** Stores values unencrypted, for a store that only the application can access. */
export const noSeal: Seal = { encrypt: text => text, decrypt: sealed => sealed }

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

/**
 * Encrypts values with AES-256-GCM (NIST SP 800-38D) and a random nonce. The encryption also authenticates the store
 * key, so an encrypted value is invalid under any other store key.
 * @param keyRing keys of 32 bytes. The first key encrypts, and all keys decrypt, so that keys can be rotated
 */
export function createSeal(keyRing: readonly Buffer[]): Seal {
  const byId = new Map(keyRing.map(key => [idOf(key), key]))
  const [first] = byId
  if (first === undefined) throw new TypeError('a seal needs a key')
  const [firstId, firstKey] = first
  return {
    encrypt(text, place) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv(algorithm, firstKey, iv).setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${firstId}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    decrypt(sealed, place) {
      const [id = '', text = ''] = sealed.split('.')
      const key = byId.get(id)
      const bytes = Buffer.from(text, 'base64url')
      if (key === undefined || bytes.length < ivBytes + tagBytes) return undefined
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(place))
          .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
        return decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Returns an identifier for an encryption key that reveals nothing about the key. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('token store key ').update(key).digest('base64url').slice(0, 8)
}
