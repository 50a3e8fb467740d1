export { default, default as tokenClient } from './plugin.js'
export { createTokenClient, type TokenClient, type TokenClientFor } from './token-client.js'
export type { TokenHealth } from './acquire/token-cache.js'
export type { PrivateKeyInput, ProvideContext, Provided, SignAssertion } from 'oauth-issuer-connection'
export type { RequestLike } from './call/fetch-arguments.js'
export type { InterceptorOptions } from './call/interceptors.js'
export type { AnswerSchemas, JsonAnswer, JsonCallOptions, JsonCalls } from './call/json-calls.js'
export type { CallOptions, TokenView } from './call/token-view.js'
export type { Subject } from './call/subject-token.js'
export type { TokenClientEvents } from './diagnostics.js'
export {
  InvalidOptionError,
  OriginNotAllowedError,
  TokenRejectedError,
  TokenUnavailableError,
  UnexpectedBodyError,
  UnexpectedStatusError,
} from './errors.js'
export type { OperationTokens, UsedApi, UsedOperation } from './options/api-option.js'
export type { ClientAuthenticationMethod } from './options/credential-options.js'
export type {
  CommonOptions,
  TokenClientOptions,
  TokenClientPluginOptions,
  TokenSourceOptions,
} from './options/options.js'
export type { OnBehalfOfGrant, ProfileName } from './options/profiles.js'
export type { TokenStoreOptions } from './options/sharing-options.js'
export type { Target, TargetOptions } from './options/target-options.js'
export type { SourcedToken, SourceRequest, TokenSource } from './options/token-source-option.js'
export {
  redisTokenStore,
  type IoredisConnection,
  type NodeRedisConnection,
  type RedisConnection,
} from './share/redis-token-store.js'
export type { TokenStore } from './share/token-store.js'
export type { Token } from './token.js'
