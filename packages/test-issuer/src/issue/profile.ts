import type { SigningAlgorithm } from './key-pairs.js'

/** A token's claims. `undefined` leaves one out. */
export type Claims = Readonly<Record<string, unknown>>

/** A token's content, independent of the profile. Times are in seconds since the epoch. */
export interface TokenContent {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
  /** The user; undefined if the client acts for itself (client credentials). */
  readonly subject: string | undefined
  readonly clientId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** How one kind of issuer writes access tokens, and the paths of its endpoints. */
export interface Profile {
  /** The issuer identifier's path. */
  readonly issuerPath: string
  readonly jwksPath: string
  readonly authorizationPath: string
  readonly tokenPath: string
  readonly introspectionPath: string
  /** The default signature algorithm. */
  readonly algorithm: SigningAlgorithm
  /** The header's `typ`; undefined for none. */
  readonly type: string | undefined
  /** Whether the keys in the JWK set carry `alg`. */
  readonly namesAlgorithm: boolean
  /** Whether responses to the client credentials grant have `scope`. */
  readonly answersScope: boolean
  /** The claim that contains the audience. */
  readonly audienceClaim: 'aud' | 'client_id'
  readonly claims: (content: TokenContent) => Claims
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'
