/** Describes, for error messages, the Redis clients that {@link isIoredis} and {@link isNodeRedis} recognize. */
export const redisConnection =
  'a client from ioredis, iovalkey or the npm package redis (version 4 or later, without legacyMode)'

/**
 * The properties by which Redis clients are recognized. Their types are `unknown`, because JavaScript callers may pass
 * any value.
 */
type Given =
  | {
      readonly set?: unknown
      readonly status?: unknown
      readonly isOpen?: unknown
      readonly options?: unknown
    }
  | null
  | undefined

/**
 * Returns whether a Redis or Valkey client comes from ioredis or iovalkey. Other clients must not be mistaken for
 * these: a client from the npm package `redis` would ignore `SET` options in the ioredis format without an error.
 */
export function isIoredis<T>(connection: T): connection is Extract<T, { readonly status: string }> {
  const given = connection as Given
  return typeof given?.set === 'function' && typeof given.status === 'string'
}

/** Returns whether an object is a client, cluster or pool from the npm package `redis`, version 4 or later. */
export function isNodeRedis<T>(connection: T): connection is Extract<T, { readonly isOpen: boolean }> {
  const given = connection as Given
  const { legacyMode } = (given?.options ?? {}) as { readonly legacyMode?: unknown }
  return typeof given?.set === 'function' && typeof given.isOpen === 'boolean' && legacyMode !== true
}

/**
 * Converts a Redis reply to text. The reply is a Buffer if the client is configured to return Buffers. Returns
 * undefined for replies of other types.
 */
export function redisText(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return typeof reply === 'string' ? reply : undefined
}
