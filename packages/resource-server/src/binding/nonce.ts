import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Creates and checks DPoP nonces without storing them (RFC 9449 §8 and §9). */
export interface Nonces {
  /** Returns the nonce that is currently sent to clients. */
  current(): string
  isValid(nonce: string): boolean
}

/**
 * The time in milliseconds after which a new nonce is sent to clients. The previous nonce is still accepted for another
 * period of the same length.
 */
const intervalMs = 60_000

/**
 * @param secret the secret from which nonces are derived. Replicas with the same secret accept each other's nonces.
 * Default: a random secret for this process only
 */
export function createNonces(now: () => number, secret: string | Buffer = randomBytes(32)): Nonces {
  const nonceAt = (interval: number): string =>
    createHmac('sha256', secret).update(`dpop nonce ${interval}`).digest('base64url').slice(0, 32)
  const interval = (): number => Math.floor(now() / intervalMs)
  return {
    current: () => nonceAt(interval()),
    isValid(nonce) {
      const given = Buffer.from(nonce)
      return [interval(), interval() - 1].some(at => {
        const expected = Buffer.from(nonceAt(at))
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
    },
  }
}
