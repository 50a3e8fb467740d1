import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Nonces that the server can recognize without storing them (RFC 9449 §8, §9). */
export interface Nonces {
  /** The nonce to send now. */
  current(): string
  isValid(nonce: string): boolean
}

/** How long the same nonce is sent, in milliseconds. After that, the nonce is still accepted for the same time. */
const intervalMs = 60_000

/**
 * @param secret must be the same in all replicas, so that they accept each other's nonces. Default: a random secret of
 * this process
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
