import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Protects values from everyone who can read or write the store. */
export interface Seal {
  encrypt(text: string, key: string): string
  /** Undefined if the value was not encrypted for this key of the store, with one of our keys. */
  decrypt(sealed: string, key: string): string | undefined
}

/** For a store that is private to the application. */
export const noSeal: Seal = { encrypt: text => text, decrypt: sealed => sealed }

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce. The key in the store is authenticated too, so that an entry cannot
 * be copied to a different key.
 * @param keyRing keys of 32 bytes: the first one encrypts, all of them decrypt, so that keys can be rotated
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

/** Identifies a key without revealing anything about it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('token store key ').update(key).digest('base64url').slice(0, 8)
}
