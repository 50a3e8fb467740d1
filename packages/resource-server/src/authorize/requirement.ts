/** A checked rule with all defaults filled in. */
export interface Requirement {
  readonly scopes: readonly string[]
  /** For each scope in `scopes`: that scope and all scopes that include it. Any of them is sufficient. */
  readonly acceptedScopes: readonly (readonly string[])[]
  readonly match: 'all' | 'any'
  /**
   * Any one role is sufficient. Either the roles or the scopes are sufficient. If the list is empty, the scopes are
   * required.
   */
  readonly roles: readonly string[]
  readonly audience: string | undefined
  /** Whether tokens with a DPoP proof, tokens without one, or both are accepted. */
  readonly dpop: DpopMode
  readonly acr: readonly string[]
  /** Undefined: however long ago. */
  readonly maxAgeMs: number | undefined
  readonly optional: boolean
  /** Additional requirements that are reported but not enforced. */
  readonly report: Requirement | undefined
}

/** The values that rules may use. */
export interface Catalogue {
  /** The defined scopes. Undefined: every scope is valid. */
  readonly scopes: readonly string[] | undefined
  /** For each scope that other scopes include, directly or indirectly: that scope and the scopes that include it. */
  readonly grantedBy: ReadonlyMap<string, readonly string[]>
  readonly audiences: readonly string[]
  /** The access to routes without `config.oauth`. */
  readonly defaultAccess: DefaultAccess
  /** Undefined: DPoP proofs are not supported. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/**
 * `off`: refuses tokens with a DPoP proof (RFC 9449). `allow`: accepts tokens with and without a proof. `require`:
 * refuses tokens without a proof.
 */
export type DpopMode = 'off' | 'allow' | 'require'

/** `enforce`: refuses requests without a valid token. `report`: accepts such requests and reports them. */
export type Mode = 'enforce' | 'report'

/**
 * `protected`: a valid token is required. `explicit`: the application does not start. `public`: no token is required.
 */
export type DefaultAccess = 'protected' | 'explicit' | 'public'
