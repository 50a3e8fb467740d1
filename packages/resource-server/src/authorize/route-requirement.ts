import type { Role, Scope } from '../oauth-types.js'
import type { DpopMode } from './requirement.js'

/** A route's requirements for access tokens, set as `oauth` in the route's `config`. */
export interface RouteRequirement<S extends string = Scope, R extends string = Role> {
  /**
   * The required scopes (RFC 6749 §3.3). The property `match` sets whether a token needs all of these scopes or only
   * one.
   */
  readonly scopes?: readonly [S, ...S[]]
  /**
   * With `all`, the token must have every scope in `scopes`. With `any`, a single scope is sufficient. Default: `all`.
   */
  readonly match?: 'all' | 'any'
  /**
   * The accepted roles or application permissions. A token needs only one of them. They are read from a claim that
   * depends on the issuer, such as `roles` for Entra ID or `permissions` for Auth0. If `scopes` is also set, the token
   * needs either the scopes or one of the roles.
   */
  readonly roles?: readonly [R, ...R[]]
  /** The required audience. It must be one of the audiences in the option `audience`. */
  readonly audience?: string
  /**
   * `require` accepts only tokens with a DPoP proof (RFC 9449), `allow` accepts tokens with or without a proof, and
   * `off` accepts only tokens without a proof. Default: the mode set with the option `dpop`.
   */
  readonly dpop?: DpopMode
  /** The accepted values of the claim `acr`, which says how the user authenticated (RFC 9470 §3). */
  readonly acr?: readonly [string, ...string[]]
  /** The maximum time since the user authenticated (claim `auth_time`), in milliseconds (RFC 9470 §3). */
  readonly maxAgeMs?: number
  /**
   * If `true`, requests without a token are accepted, and `request.auth` is then null. Requests with an invalid token
   * are still refused.
   */
  readonly optional?: boolean
  /**
   * Requirements to try out before you enforce them. If a request fails only these requirements, it is accepted, and
   * the failure appears in the stats, the events and the log. On a route with `optional: true`, requests without a
   * token are reported too, even if `report` is empty.
   */
  readonly report?: ReportedDemands<S, R>
  /**
   * Makes TypeScript reject misspelt property names, and names from other libraries. Without this declaration,
   * TypeScript would accept them, because Fastify infers the type of a route's `config` from the given object.
   */
  readonly [misspelt: Misspelt]: never
}

/** The requirements in a route's `report`. A request that fails only these requirements is reported but not refused. */
export type ReportedDemands<S extends string = Scope, R extends string = Role> = Omit<
  RouteRequirement<S, R>,
  'optional' | 'dpop' | 'report'
> & { readonly dpop?: 'require' }

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`
