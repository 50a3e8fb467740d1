import type { Static, TSchema } from 'typebox'

/**
 * What tokens contain in this application, as types. Declare it once, and a misspelt scope or role is a compile error:
 *
 * ```ts
 * declare module 'fastify-resource-server' {
 *   interface OAuthTypes {
 *     scopes: 'receipts:read' | 'receipts:write'
 *     roles: 'Receipts.Write.All'
 *     claims: { tenant: string }
 *   }
 * }
 * ```
 *
 * Where the plugin is registered with `defaultAccess: 'public'`, declare `defaultAccess: 'public'` here too, and `request.auth` may be
 * null on routes that say nothing. Where it may be registered with `mode: 'report'`, declare `mode: 'report'`, and
 * `request.auth` may be null on every route.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- it is there to be declared into
export interface OAuthTypes {}

/** A scope of the declared catalogue; any string where none is declared. */
export type Scope = OAuthTypes extends { scopes: infer Declared extends string } ? Declared : string

/** A declared role; any string where none is declared. */
export type Role = OAuthTypes extends { roles: infer Declared extends string } ? Declared : string

/** The declared claims, beside those that every token has; unknown where none are declared. */
export type TokenClaims = OAuthTypes extends { claims: infer Declared }
  ? Readonly<Declared> & Readonly<Record<string, unknown>>
  : Readonly<Record<string, unknown>>

/** The claims that a schema describes, beside those that every token has. */
export type ClaimsOf<C extends TSchema> = Readonly<Record<string, unknown>> & Static<C>
