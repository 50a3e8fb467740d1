/** An access token as the client keeps it. Times in milliseconds since the epoch. Prints as `[redacted]`. */
export interface Token {
  readonly accessToken: string
  /** The scopes that were granted (RFC 6749 §5.1), where the server says so. */
  readonly scopes: readonly string[] | undefined
  /** From here on a renewal runs in the background, while this token is still sent. */
  readonly renewAt: number
  /** From here on calls wait for a new token. */
  readonly useUntil: number
  /** When it ends. */
  readonly expiresAt: number
  /** `[redacted]` */
  toString(): string
}

const redacted = '[redacted]'

/** Makes a token whose secret part appears in no log: neither by JSON nor by `util.inspect`. */
export function createToken(accessToken: string, rest: Omit<Token, 'accessToken' | 'toString'>): Token {
  return Object.freeze(
    Object.defineProperties({ ...rest } as Token, {
      accessToken: { value: accessToken, enumerable: false },
      toJSON: { value: () => redacted, enumerable: false },
      toString: { value: () => redacted, enumerable: false },
      [Symbol.for('nodejs.util.inspect.custom')]: { value: () => redacted, enumerable: false },
    }),
  )
}

/** How much of a token's life is left for what; all in milliseconds. */
export interface Lifetimes {
  /** Part of the life after which it is renewed ahead, between 0 and 1. */
  readonly renewAfter: number
  /** The largest distance kept from the end of its life. */
  readonly skewMs: number
}

/** What is assumed where the server does not say (RFC 6749 §5.1 only recommends `expires_in`). */
const unstatedLifetimeMs = 60_000
/** Longer promises are not believed: a year is longer than any process should trust one token. */
const longestLifetimeMs = 365 * 24 * 3_600_000

/** What is known of a token when it comes. */
interface Received {
  /** When its request was sent, in milliseconds since the epoch: the server counts from some time after that. */
  readonly requestedAt: number
  /** `expires_in` in seconds, as the server wrote it: possibly absent, negative or absurd. */
  readonly expiresIn: number | undefined
  /** How long the server took, in milliseconds: the next renewal may take as long. */
  readonly tookMs: number
}

/**
 * When to renew and when to stop using a token. Where a server is slow, and its tokens short-lived, the renewal begins
 * as much earlier as it may take, but not before half of the token's life.
 * @param random a number from 0 to 1: spreads the renewals of many processes
 */
export function schedule(
  { requestedAt, expiresIn, tookMs }: Received,
  { renewAfter, skewMs }: Lifetimes,
  random: number,
): Pick<Token, 'renewAt' | 'useUntil' | 'expiresAt'> {
  const stated = expiresIn === undefined || Number.isNaN(expiresIn) ? unstatedLifetimeMs : expiresIn * 1000
  const lifetime = Math.min(Math.max(stated, 0), longestLifetimeMs)
  const useFor = lifetime - Math.min(skewMs, lifetime / 10)
  const jitter = 1 - random * 0.1
  const inTime = Math.max(useFor - 2 * tookMs, Math.min(lifetime / 2, useFor))
  return {
    renewAt: requestedAt + Math.min(lifetime * renewAfter * jitter, inTime),
    useUntil: requestedAt + useFor,
    expiresAt: requestedAt + lifetime,
  }
}
