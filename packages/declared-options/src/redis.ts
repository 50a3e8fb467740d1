/** For errors: the connections that {@link isIoredis} and {@link isNodeRedis} know. */
export const redisConnection =
  'a connection of ioredis, iovalkey or the npm package redis (from version 4, without legacyMode)'

/** What callers without types may pass. */
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
 * Whether a connection to Redis or Valkey comes from ioredis or iovalkey. The packages take different arguments for
 * the same command: given those of ioredis, `redis` ignores the options of `SET` and replies OK.
 */
export function isIoredis<T>(connection: T): connection is Extract<T, { readonly status: string }> {
  const given = connection as Given
  return typeof given?.set === 'function' && typeof given.status === 'string'
}

/** Whether it is a client, a cluster or a pool of the npm package `redis`, from version 4. */
export function isNodeRedis<T>(connection: T): connection is Extract<T, { readonly isOpen: boolean }> {
  const given = connection as Given
  const { legacyMode } = (given?.options ?? {}) as { readonly legacyMode?: unknown }
  return typeof given?.set === 'function' && typeof given.isOpen === 'boolean' && legacyMode !== true
}

/** The text of a reply: clients can be configured to return Buffers. Undefined for anything else. */
export function redisText(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return typeof reply === 'string' ? reply : undefined
}
