export { default, default as resourceServer } from './plugin.js'
export type { AccessToken } from './access-token.js'
export type { Requirement, RouteRequirement } from './authorize/requirement.js'
export type { ResourceServerEvents } from './diagnostics.js'
export {
  InsufficientScopeError,
  InvalidOptionError,
  InvalidRequestError,
  InvalidRouteError,
  InvalidTokenError,
  IssuerError,
  KeysUnavailableError,
  MissingTokenError,
  type RefusalReason,
} from './errors.js'
export type { OAuthTypes, Scope, TokenClaims } from './oauth-types.js'
export type { IssuerOptions, ResourceServerOptions } from './options.js'
export type { Guard, ResourceServer, TokenRequirement } from './resource-server.js'
export type { ListedRoute } from './route-list.js'
export type { ProfileName } from './verify/profiles.js'
export type { Algorithm, Jwk } from './verify/public-key.js'
