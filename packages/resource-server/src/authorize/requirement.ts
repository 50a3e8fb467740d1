/** A valid rule in which all defaults are filled in. */
export interface Requirement {
  readonly scopes: readonly string[]
  /**
   * For each scope in `scopes`, a list of that scope and all scopes that include it. Any scope in a list is sufficient.
   */
  readonly acceptedScopes: readonly (readonly string[])[]
  readonly match: 'all' | 'any'
  /**
   * The accepted roles, any one of which is sufficient. A token with one of these roles does not need the scopes.
   */
  readonly roles: readonly string[]
  readonly audience: string | undefined
  /** Whether the route accepts tokens with a DPoP proof, tokens without a proof, or both. */
  readonly dpop: DpopMode
  readonly acr: readonly string[]
  /** The maximum time since the user authenticated, in milliseconds. If undefined, the time is not limited. */
  readonly maxAgeMs: number | undefined
  readonly optional: boolean
  /** Additional requirements that are reported but not enforced. */
  readonly report: Requirement | undefined
}

/** The options of the plugin by which rules are checked. */
export interface Catalogue {
  /** The scopes that rules may use. If undefined, rules may use any scope. */
  readonly scopes: readonly string[] | undefined
  /**
   * The scopes that grant a scope, keyed by that scope: the scope itself, and all scopes that include it directly or
   * indirectly. Contains only scopes that other scopes include.
   */
  readonly grantedBy: ReadonlyMap<string, readonly string[]>
  readonly audiences: readonly string[]
  /** Who can access routes without `config.oauth`. */
  readonly defaultAccess: DefaultAccess
  /** The option `dpop`. If undefined, DPoP proofs are not supported. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/**
 * `off`: tokens with a DPoP proof (RFC 9449) are refused. `allow`: tokens with and without a proof are accepted.
 * `require`: tokens without a proof are refused.
 */
export type DpopMode = 'off' | 'allow' | 'require'

/** `enforce`: requests without a valid token are refused. `report`: such requests are accepted and reported. */
export type Mode = 'enforce' | 'report'

/**
 * How routes without `config.oauth` are treated. `protected`: they require a valid token. `explicit`: they prevent the
 * application from starting. `public`: they require no token.
 */
export type DefaultAccess = 'protected' | 'explicit' | 'public'
