import type { TlsIdentity } from 'oauth-issuer-connection'

/** A cached access token. Times in milliseconds since the epoch. Prints as `[redacted]`. */
export interface Token {
  readonly accessToken: string
  /** The granted scopes (RFC 6749 §5.1), if the server states them. */
  readonly scopes: readonly string[] | undefined
  /** From then on it is renewed in the background, and still sent. */
  readonly renewAt: number
  /** From then on calls wait for a new token. */
  readonly useUntil: number
  /** When it expires. */
  readonly expiresAt: number
  /** `[redacted]` */
  toString(): string
}

const redacted = '[redacted]'

/** Apart from the tokens, because an identity holds a private key. */
const identities = new WeakMap<Token, TlsIdentity>()

/** The client certificate that a token may be bound to; undefined if there is only one, or none. */
export function identityOf(token: Token): TlsIdentity | undefined {
  return identities.get(token)
}

/** Makes a token whose secret does not appear in logs: neither as JSON nor through `util.inspect`. */
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

/** When tokens are renewed. */
export interface Lifetimes {
  /** Part of a token's lifetime after which it is renewed, between 0 and 1. */
  readonly renewAfter: number
  /** For how long before its expiry a token is not used; at most a tenth of its lifetime. */
  readonly skewMs: number
}

/** Assumed if the server does not state a lifetime (RFC 6749 §5.1 only recommends `expires_in`). */
export const unstatedLifetimeMs = 60_000
/** Longer lifetimes are cut: no process should trust one token for more than a year. */
const longestLifetimeMs = 365 * 24 * 3_600_000

/** The times of a received token. */
interface ReceivedTimes {
  /** When the request was sent, in milliseconds since the epoch; the server counts from a later time. */
  readonly requestedAt: number
  /** `expires_in` in seconds, as the server wrote it: possibly absent, negative or absurd. */
  readonly expiresIn: number | undefined
  /** How long the server took, in milliseconds; the next renewal may take as long. */
  readonly tookMs: number
}

/**
 * When to renew a token, and when to stop using it. If the server is slow and its tokens are short-lived, the renewal
 * begins earlier by the time it may take, but not before half of the token's lifetime.
 * @param random a number from 0 to 1: spreads the renewals of many processes
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
