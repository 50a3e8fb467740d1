/** A route's access rule after validation, with all defaults filled in. */
export interface Requirement {
  readonly scopes: readonly string[]
  /**
   * For each required scope, a list of the scopes that satisfy it: the scope itself, and all scopes that include it.
   */
  readonly acceptedScopes: readonly (readonly string[])[]
  readonly match: 'all' | 'any'
  /** The accepted roles. A token with at least one of these roles does not need the required scopes. */
  readonly roles: readonly string[]
  readonly audience: string | undefined
  /** Whether the route accepts tokens with a DPoP proof, tokens without one, or both. */
  readonly dpop: DpopMode
  readonly acr: readonly string[]
  /** The maximum time since the user authenticated, in milliseconds. If undefined, there is no limit. */
  readonly maxAgeMs: number | undefined
  readonly optional: boolean
  /**
   * Additional requirements that are not enforced. A request that fails only these requirements is reported but not
   * refused.
   */
  readonly report: Requirement | undefined
}

/** The plugin options that are needed to validate a route's access rule and to fill in its defaults. */
export interface Catalogue {
  /** The scopes that routes may require. If undefined, they may require any scope. */
  readonly scopes: readonly string[] | undefined
  /**
   * Maps each scope that other scopes include to all scopes that grant it: itself, and the scopes that include it
   * directly or indirectly. Scopes that no other scope includes are omitted.
   */
  readonly grantedBy: ReadonlyMap<string, readonly string[]>
  readonly audiences: readonly string[]
  readonly defaultAccess: DefaultAccess
  /** The plugin option `dpop`. If undefined, DPoP proofs are not supported. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/**
 * `off` refuses tokens sent with a DPoP proof (RFC 9449), `allow` accepts tokens with or without a proof, and `require`
 * refuses tokens without a proof.
 */
export type DpopMode = 'off' | 'allow' | 'require'

/**
 * With `enforce`, requests that do not satisfy a route's access rule are refused. With `report`, they are accepted, but
 * reported.
 */
export type Mode = 'enforce' | 'report'

/**
 * How routes without `config.oauth` are treated: `protected` requires a valid token, `explicit` makes startup fail, and
 * `public` requires no token.
 */
export type DefaultAccess = 'protected' | 'explicit' | 'public'
