/** A requirement after it was checked: nothing optional, ready for the comparison. */
export interface Requirement {
  readonly scopes: readonly string[]
  /** For each of `scopes`, the scopes that grant it: itself, and those that include it. */
  readonly acceptedScopes: readonly (readonly string[])[]
  readonly match: 'all' | 'any'
  /** Any one of them is enough, as are the scopes; empty: only scopes count. */
  readonly roles: readonly string[]
  readonly audience: string | undefined
  /** Whether tokens with a DPoP proof are taken, and others. */
  readonly dpop: DpopMode
  readonly acr: readonly string[]
  /** Undefined: however long ago. */
  readonly maxAgeMs: number | undefined
  readonly optional: boolean
  /** What is demanded besides, and only reported. */
  readonly report: Requirement | undefined
}

/** What routes may ask for. */
export interface Catalogue {
  /** Undefined: any scope, because there is no catalogue. */
  readonly scopes: readonly string[] | undefined
  /** For each scope that others include, directly or through others: itself, and those. */
  readonly grantedBy: ReadonlyMap<string, readonly string[]>
  readonly audiences: readonly string[]
  /** What applies to routes without `config.oauth`. */
  readonly defaultAccess: DefaultAccess
  /** Undefined: no proofs can be taken. */
  readonly dpop: { readonly mode: DpopMode } | undefined
}

/** `off`: no tokens with a DPoP proof (RFC 9449). `allow`: those too. `require`: only those. */
export type DpopMode = 'off' | 'allow' | 'require'

/** `enforce`: requests without a valid token are refused. `report`: they are let in and reported. */
export type Mode = 'enforce' | 'report'

/** `protected`: any valid token is required. `explicit`: the application does not start. `public`: no token is required. */
export type DefaultAccess = 'protected' | 'explicit' | 'public'
