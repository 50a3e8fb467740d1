/** A validated rule with all defaults filled in. */
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
  /** Additional requirements of a route. A request that fails only these requirements is reported but not refused. */
  readonly report: Requirement | undefined
}

/** The plugin options that are needed to validate a rule and to fill in its defaults. */
export interface Catalogue {
  /** The scopes that rules may use. If undefined, any scope is allowed. */
  readonly scopes: readonly string[] | undefined
  /**
   * Maps a scope to all scopes that grant it: the scope itself, and those that include it directly or indirectly. A
   * scope that no other scope includes has no entry.
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

/** `enforce` refuses requests that do not meet a route's rule. `report` accepts and reports such requests. */
export type Mode = 'enforce' | 'report'

/**
 * How routes without `config.oauth` are treated: `protected` requires a valid token, `explicit` makes startup fail, and
 * `public` requires no token.
 */
export type DefaultAccess = 'protected' | 'explicit' | 'public'
