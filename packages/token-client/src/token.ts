import type { TlsIdentity } from 'oauth-issuer-connection'

/** A cached access token. Times are in milliseconds since the epoch. `toString` returns `[redacted]`. */
export interface Token {
  readonly accessToken: string
  /** The granted scopes (RFC 6749 §5.1), if the server returned them. */
  readonly scopes: readonly string[] | undefined
  /** The time from which the token is renewed in the background. */
  readonly renewAt: number
  /** From this time on, calls wait for a new token. If the renewal fails, they use this token until it expires. */
  readonly useUntil: number
  /** The expiry time. */
  readonly expiresAt: number
  /** `[redacted]` */
  toString(): string
}

const redacted = '[redacted]'

/**
 * Maps each token to the client's certificate and private key. The private key must not be a property of the token
 * object, because token objects may be logged.
 */
const identities = new WeakMap<Token, TlsIdentity>()

/**
 * Returns the client certificate that a token may be bound to. Returns undefined if the client has no certificate or
 * always uses the same one.
 */
export function identityOf(token: Token): TlsIdentity | undefined {
  return identities.get(token)
}

/** Creates a token whose secret appears neither in JSON nor in the output of `util.inspect`. */
export function createToken(
  accessToken: string,
  rest: Omit<Token, 'accessToken' | 'toString'>,
  identity?: TlsIdentity,
): Token {
  const token = Object.freeze(
    Object.defineProperties({ ...rest } as Token, {
      accessToken: { value: accessToken, enumerable: false },
      toJSON: { value: () => redacted, enumerable: false },
      toString: { value: () => redacted, enumerable: false },
      [Symbol.for('nodejs.util.inspect.custom')]: { value: () => redacted, enumerable: false },
    }),
  )
  if (identity !== undefined) identities.set(token, identity)
  return token
}

/** The settings for renewals. */
export interface Lifetimes {
  /** The fraction of a token's lifetime after which the token is renewed, between 0 and 1. */
  readonly renewAfter: number
  /**
   * The time before the expiry of a token, in milliseconds, during which calls wait for a new token. Limited to a tenth
   * of the token's lifetime.
   */
  readonly skewMs: number
}

/**
 * The assumed lifetime of a token in milliseconds if the server sends no `expires_in`. RFC 6749 §5.1 does not require
 * this member.
 */
export const unstatedLifetimeMs = 60_000
/** The maximum lifetime of a token in milliseconds: one year. */
const longestLifetimeMs = 365 * 24 * 3_600_000

/** The times from which the renewal and the expiry of a new token are calculated. */
interface ReceivedTimes {
  /** The time of the token request in milliseconds since the epoch. The token's lifetime is counted from this time. */
  readonly requestedAt: number
  /** The server's `expires_in` in seconds. The value can be missing, negative or very large. */
  readonly expiresIn: number | undefined
  /** The duration of the token request in milliseconds. The next renewal may take just as long. */
  readonly tookMs: number
}

/**
 * Calculates when a token is renewed and when it is no longer used. If the server is slow and its tokens are
 * short-lived, the renewal begins earlier, but not before half of the lifetime has passed.
 * @param random a number from 0 to 1 that spreads out the renewals of many processes
 */
export function schedule(
  { requestedAt, expiresIn, tookMs }: ReceivedTimes,
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
