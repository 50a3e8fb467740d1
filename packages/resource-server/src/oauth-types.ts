import type { Static, TSchema } from 'typebox'

/**
 * The types of the application's scopes, roles and claims. If you extend this interface, misspelt scopes and roles
 * become compile errors:
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
 * If you register the plugin with `defaultAccess: 'public'`, declare `defaultAccess: 'public'` here too, because
 * `request.auth` can then be null on routes without a rule. If you register it with `mode: 'report'`, declare `mode:
 * 'report'` here too, because `request.auth` can then be null on every route.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- applications extend this interface
export interface OAuthTypes {}

/** A scope that `OAuthTypes` declares, or any string if it declares no scopes. */
export type Scope = OAuthTypes extends { scopes: infer Declared extends string } ? Declared : string

/** A role that `OAuthTypes` declares, or any string if it declares no roles. */
export type Role = OAuthTypes extends { roles: infer Declared extends string } ? Declared : string

/** The claims that `OAuthTypes` declares. All other claims have the type `unknown`. */
export type TokenClaims = OAuthTypes extends { claims: infer Declared }
  ? Readonly<Declared> & Readonly<Record<string, unknown>>
  : Readonly<Record<string, unknown>>

/** The claims that a schema describes. All other claims have the type `unknown`. */
export type ClaimsOf<C extends TSchema> = Readonly<Record<string, unknown>> & Static<C>
