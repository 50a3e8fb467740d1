import type { Role, Scope } from '../oauth-types.js'
import type { DpopMode } from './requirement.js'

/** The requirements of a route for access tokens: `config: { oauth: … }`. */
export interface RouteRequirement<S extends string = Scope, R extends string = Role> {
  /** The required scopes (RFC 6749 §3.3). By default, the token must have all of them: see `match`. */
  readonly scopes?: readonly [S, ...S[]]
  /** `all`: the token must have every scope of `scopes`. `any`: one scope is sufficient. Default `all`. */
  readonly match?: 'all' | 'any'
  /**
   * Roles or application permissions, any one of which is sufficient: `roles` of app-only Entra ID tokens,
   * `permissions` of Auth0. If `scopes` is set too, either is sufficient.
   */
  readonly roles?: readonly [R, ...R[]]
  /** The audience that the token must have: one of the configured audiences. */
  readonly audience?: string
  /**
   * `require`: only accepts tokens that are bound to a key, with a DPoP proof (RFC 9449). `allow`: also accepts other
   * tokens. `off`: only accepts other tokens. Default: the mode of the option `dpop`.
   */
  readonly dpop?: DpopMode
  /** The accepted authentication contexts of the user: values of the claim `acr` (RFC 9470 §3). */
  readonly acr?: readonly [string, ...string[]]
  /** The maximum time since the user authenticated, by the claim `auth_time`, in milliseconds (RFC 9470 §3). */
  readonly maxAgeMs?: number
  /** `true`: a request without a token is accepted, with `request.auth === null`. An invalid token is still refused. */
  readonly optional?: boolean
  /**
   * Requirements that are reported but not enforced yet. A request that only fails these requirements is accepted and
   * reported in the stats, the events and the log. If the route has `optional`, requests without a token are reported
   * too, even if `report` is empty.
   */
  readonly report?: ReportedDemands<S, R>
  /**
   * Makes misspelt names, and names from other libraries, a compile error. Fastify infers the type of a route's config,
   * so TypeScript does not report unknown keys itself. Editors do not suggest the keys of an index signature.
   */
  readonly [misspelt: Misspelt]: never
}

/** The requirements that can be reported without being enforced. */
export type ReportedDemands<S extends string = Scope, R extends string = Role> = Omit<
  RouteRequirement<S, R>,
  'optional' | 'dpop' | 'report'
> & { readonly dpop?: 'require' }

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`
