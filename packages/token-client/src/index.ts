export { default, default as tokenClient } from './plugin.js'
export { createTokenClient, type CallOptions, type TokenClient } from './token-client.js'
export type { PrivateKeyInput, Provided } from './acquire/client-authentication.js'
export type { TokenHealth } from './acquire/token-source.js'
export type { TokenClientEvents } from './diagnostics.js'
export {
  InvalidOptionError,
  OriginNotAllowedError,
  TokenRejectedError,
  TokenUnavailableError,
} from './errors.js'
export type { TokenClientOptions, TokenClientPluginOptions } from './options.js'
export { redisTokenStore, type RedisConnection } from './share/redis-token-store.js'
export type { TokenStore } from './share/token-store.js'
export type { Token } from './token.js'
