import type { SigningAlgorithm } from './key-pairs.js'

/** The claims of a token. Undefined claims are omitted. */
export type Claims = Readonly<Record<string, unknown>>

/** The content of a token, independent of the profile. Times are in seconds since the epoch. */
export interface TokenContent {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
  /** The user, or undefined if the client acts on its own behalf (client credentials grant). */
  readonly subject: string | undefined
  readonly clientId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** The access token format and the endpoint paths of one kind of issuer. */
export interface Profile {
  /** The path of the issuer identifier. */
  readonly issuerPath: string
  readonly jwksPath: string
  readonly authorizationPath: string
  readonly tokenPath: string
  readonly introspectionPath: string
  /** The default signature algorithm. */
  readonly algorithm: SigningAlgorithm
  /** The `typ` header, or undefined if tokens have no `typ`. */
  readonly type: string | undefined
  /** Whether the keys in the JWK set contain `alg`. */
  readonly namesAlgorithm: boolean
  /** Whether token responses contain `scope` in the client credentials grant. */
  readonly answersScope: boolean
  /** The claim that contains the audience. */
  readonly audienceClaim: 'aud' | 'client_id'
  readonly claims: (content: TokenContent) => Claims
}

export type ProfileName = 'rfc9068' | 'entra' | 'auth0' | 'keycloak' | 'okta' | 'cognito' | 'generic'
