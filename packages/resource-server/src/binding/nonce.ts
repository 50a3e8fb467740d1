import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Nonces that the server gives out and knows again without keeping them (RFC 9449 §8, §9). */
export interface Nonces {
  /** The one to give out now. */
  current(): string
  isValid(nonce: string): boolean
}

/** How long one nonce is given out; it is accepted for as long again. */
const intervalMs = 60_000

/** @param secret the same in each replica, so that they know each other's nonces; one of this process, if left out */
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
