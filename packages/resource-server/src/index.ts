export { default, default as resourceServer } from './plugin.js'
export type { AccessToken } from './access-token.js'
export type { AuthOf, GivesToken } from './auth-of.js'
export type { ClientCertificate } from './binding/client-certificate.js'
export {
  redisReplayStore,
  type IoredisConnection,
  type NodeRedisConnection,
  type RedisConnection,
} from './binding/redis-replay-store.js'
export type { ReplayStore } from './binding/replay-store.js'
export type { DpopMode, Mode, Requirement } from './authorize/requirement.js'
export type { ReportedDemands, RouteRequirement } from './authorize/route-requirement.js'
export {
  defineResourceServer,
  type Catalogue,
  type DefinedResourceServer,
  type RemainingOptions,
} from './define-resource-server.js'
export { createVerifier, type Verifier } from './create-verifier.js'
export { explain, type ExplainOptions } from './explain-once.js'
export type { CheckName, CheckResult, ExplainedCheck, Explanation } from './explain/explanation.js'
export type { RecognizedIssuer } from './explain/recognize-issuer.js'
export type { ResourceServerEvents } from './diagnostics.js'
export {
  GuardFailedError,
  InsufficientScopeError,
  InsufficientUserAuthenticationError,
  InvalidDpopProofError,
  InvalidOptionError,
  InvalidRequestError,
  InvalidRevocationError,
  InvalidRouteError,
  InvalidTokenError,
  IssuerError,
  MissingTokenError,
  RevocationFailedError,
  UseDpopNonceError,
  VerificationUnavailableError,
  type RefusalDetails,
  type RefusalReason,
  type RefusedTokenError,
} from './errors.js'
export type { RevocationTarget, RevocationTerms } from './revocation/revocation.js'
export type { VerifiesTokens } from './verifies-tokens.js'
export type { RevokesTokens } from './revocation/revokes-tokens.js'
export type { RevocationPage, RevocationStore } from './revocation/revocation-store.js'
export {
  redisRevocationStore,
  type IoredisPubSub,
  type IoredisSubscriber,
  type NodeRedisPubSub,
  type NodeRedisSubscriber,
  type RedisPubSub,
} from './revocation/redis-revocation-store.js'
export type { OAuthTypes, Role, Scope, TokenClaims } from './oauth-types.js'
export type { OfferedApi } from './options/api-option.js'
export type { DpopOptions } from './options/dpop-options.js'
export type { OmittableClaim } from './introspection/introspected-claims.js'
export type { IntrospectionCredentials } from './options/introspection-credentials.js'
export type { IntrospectionOptions } from './options/introspection-options.js'
export type { IssuerOptions } from './options/issuer-options.js'
export type { ResolveIssuer } from './options/issuers-option.js'
export type { ResourceServerOptions } from './options/options.js'
export type { VerifierOptions } from './options/verifier-options.js'
export type { ScopeHierarchy } from './options/scopes-option.js'
export type { ResourceMetadataOptions } from './options/resource-metadata-options.js'
export type { RevocationOptions } from './options/revocation-options.js'
export type { Guard } from './guard.js'
export type { ResourceServer } from './oauth-decorator.js'
export type { TokenRequirement } from './verify-by-rule.js'
export type { Logger } from './log.js'
export type { ListedRoute } from './route-list.js'
export type { IssuerStats, ReportedRefusal, ResourceServerStats, RevocationStats } from './stats.js'
export type { ProfileName } from './claims/profiles.js'
export type { Algorithm, ProofAlgorithm } from './keys/algorithms.js'
export type { Jwk } from './keys/public-key.js'
