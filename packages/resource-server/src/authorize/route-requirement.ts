import type { Role, Scope } from '../oauth-types.js'
import type { DpopMode } from './requirement.js'

/** What a route demands of an access token: `config: { oauth: … }`. */
export interface RouteRequirement<S extends string = Scope, R extends string = Role> {
  /** Scopes that the token must have (RFC 6749 §3.3): all of them, unless `match` says otherwise. */
  readonly scopes?: readonly [S, ...S[]]
  /** Whether `all` scopes are needed (the default), or `any` one of them is enough. */
  readonly match?: 'all' | 'any'
  /**
   * Roles or application permissions, any one of which is enough: `roles` of app-only Entra ID tokens, `permissions` of
   * Auth0. Together with `scopes`, either is enough.
   */
  readonly roles?: readonly [R, ...R[]]
  /** One of the configured audiences that the token must name, where there are several. */
  readonly audience?: string
  /**
   * `require`: only tokens that are bound to a key, with a DPoP proof of it (RFC 9449). `allow`: others too. `off`: only
   * others. Default: the mode of the option `dpop`.
   */
  readonly dpop?: DpopMode
  /** How the user must have authenticated: one of these values of `acr` (RFC 9470 §3). */
  readonly acr?: readonly [string, ...string[]]
  /** How long ago the user may have authenticated, by `auth_time`, in milliseconds (RFC 9470 §3). */
  readonly maxAgeMs?: number
  /** `true`: a request without a token is let in and has `request.auth === null`; a bad token is refused all the same. */
  readonly optional?: boolean
  /**
   * Demands that are not enforced yet: requests that fulfil the rest of the rule and not these are let in and reported
   * (stats, events, log). With `optional`, requests without a token are reported too, whatever it names: it stands for
   * the rule without `optional`.
   */
  readonly report?: ReportedDemands<S, R>
  /**
   * Names that other libraries use, and misspellings, do not compile. Fastify infers a route's config from what is given,
   * so the compiler does not report unknown keys itself; keys of an index signature are not offered in completion.
   */
  readonly [misspelt: Misspelt]: never
}

/** What a route may demand without enforcing it. */
export type ReportedDemands<S extends string = Scope, R extends string = Role> = Omit<
  RouteRequirement<S, R>,
  'optional' | 'dpop' | 'report'
> & { readonly dpop?: 'require' }

type Misspelt =
  | `${string}${'scope' | 'Scopes' | 'role' | 'Roles' | 'aud' | 'audiences' | 'maxAge'}`
  | `${'any' | 'all' | 'require' | 'permission'}${string}`
