/** Describes the connections that {@link isIoredis} and {@link isNodeRedis} recognize, for error messages. */
export const redisConnection =
  'a connection of ioredis, iovalkey or the npm package redis (version 4 or later, without legacyMode)'

/** The members that are checked. Callers in JavaScript may pass any value. */
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
 * Whether a connection to Redis or Valkey comes from ioredis or iovalkey. The npm package `redis` takes different arguments: given
 * the arguments of ioredis, it ignores the options of `SET` and still replies OK.
 */
export function isIoredis<T>(connection: T): connection is Extract<T, { readonly status: string }> {
  const given = connection as Given
  return typeof given?.set === 'function' && typeof given.status === 'string'
}

/** Whether a connection is a client, cluster or pool of the npm package `redis`, version 4 or later. */
export function isNodeRedis<T>(connection: T): connection is Extract<T, { readonly isOpen: boolean }> {
  const given = connection as Given
  const { legacyMode } = (given?.options ?? {}) as { readonly legacyMode?: unknown }
  return typeof given?.set === 'function' && typeof given.isOpen === 'boolean' && legacyMode !== true
}

/** Converts a reply to text. Clients may be configured to return Buffers. Returns undefined for other replies. */
export function redisText(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return typeof reply === 'string' ? reply : undefined
}
