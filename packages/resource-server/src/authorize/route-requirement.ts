import type { Role, Scope } from '../oauth-types.js'
import type { DpopMode } from './requirement.js'

/** A route's requirements for access tokens. Set them as `oauth` in the route's `config`. */
export interface RouteRequirement<S extends string = Scope, R extends string = Role> {
  /** The required scopes (RFC 6749 §3.3). By default, the token must have all of them: see `match`. */
  readonly scopes?: readonly [S, ...S[]]
  /** `all`: the token must have every scope of `scopes`. `any`: one scope is sufficient. Default `all`. */
  readonly match?: 'all' | 'any'
  /**
   * The accepted roles or application permissions, any one of which is sufficient. Examples are the claim `roles` in
   * app-only tokens from Entra ID and `permissions` in tokens from Auth0. If `scopes` is set too, the token needs
   * either the scopes or one of the roles.
   */
  readonly roles?: readonly [R, ...R[]]
  /** The audience that the token must have. It must be one of the audiences in the option `audience`. */
  readonly audience?: string
  /**
   * `require`: the route accepts only tokens with a DPoP proof (RFC 9449). `allow`: it also accepts tokens without a
   * proof. `off`: it accepts only tokens without a proof. Default: the mode in the option `dpop`.
   */
  readonly dpop?: DpopMode
  /** The accepted values of the claim `acr`, which says how the user authenticated (RFC 9470 §3). */
  readonly acr?: readonly [string, ...string[]]
  /** The maximum time since the user authenticated (claim `auth_time`), in milliseconds (RFC 9470 §3). */
  readonly maxAgeMs?: number
  /**
   * If `true`, a request without a token is accepted, and `request.auth` is null. A request with an invalid token is
   * still refused.
   */
  readonly optional?: boolean
  /**
   * Requirements that are reported but not enforced yet. If a request meets all other requirements but not these, it is
   * accepted, and it is reported in the stats, the events and the log. If the route has `optional: true`, requests
   * without a token are reported too, even if `report` is empty.
   */
  readonly report?: ReportedDemands<S, R>
  /**
   * Makes misspelt names, and names from other libraries, a compile error. Without this index signature, TypeScript
   * would not report unknown keys, because Fastify infers the type of a route's config. Editors do not suggest its
   * keys.
   */
  readonly [misspelt: Misspelt]: never
}

/** Requirements that are reported but not enforced. */
export type ReportedDemands<S extends string = Scope, R extends string = Role> = Omit<
  RouteRequirement<S, R>,
  'optional' | 'dpop' | 'report'
> & { readonly dpop?: 'require' }

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`
