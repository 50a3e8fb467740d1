import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from 'typebox'
import type { AccessToken } from './access-token.js'
import type { GivesToken } from './auth-of.js'
import type { RouteRequirement } from './authorize/route-requirement.js'
import type { ClaimsOf } from './oauth-types.js'
import { parseOptions, type ResourceServerOptions } from './options/options.js'
import type { ScopeHierarchy } from './options/scopes-option.js'
import { protectScope } from './plugin.js'

/** What an API's tokens may hold. */
export interface Catalogue<
  S extends string,
  C extends TSchema,
  Scopes = readonly [S, ...S[]] | ScopeHierarchy<S>,
> {
  /** Every scope that a route may require: a list, or each scope with those that it includes. */
  readonly scopes: Scopes
  /** A schema for the claims, such as `Type.Object({ tenant: Type.String() })`; a token that does not fit is refused. */
  readonly claims?: C
}

/** A rule for a route that is not public, and the type of the token it gives. */
type Rule<S extends string, C extends TSchema> = RouteRequirement<S> & GivesToken<AccessToken<S, ClaimsOf<C>>>

/** The plugin's options without the catalogue. */
export type RemainingOptions = Omit<ResourceServerOptions, 'api' | 'claims' | 'scopes'>

/** A resource server with types of its own. */
export interface DefinedResourceServer<S extends string, C extends TSchema> {
  /** To `register`, with the options that are left. */
  readonly plugin: FastifyPluginAsync<RemainingOptions>
  /** The `config` of a route that takes a token if one comes: `request.auth` is the token or null. */
  protect(rule: RouteRequirement<S> & { readonly optional: true }): {
    readonly oauth: Rule<S, C> & { readonly optional: true }
  }
  /** The `config` of a route that demands this of a token, or any valid one. */
  protect(rule?: RouteRequirement<S> & { readonly optional?: false }): {
    readonly oauth: Rule<S, C> & { readonly optional?: false }
  }
  /** The `config` of a public route. */
  readonly open: { readonly oauth: false }
}

/**
 * A resource server whose scopes and claims are typed without types that count for the whole program: for several APIs
 * in one process, or for libraries. It works as the plugin does in all else.
 *
 * @example
 * ```ts
 * const receipts = defineResourceServer({ scopes: ['receipts:read', 'receipts:write'] })
 * await app.register(receipts.plugin, { issuer, audience })
 * app.get('/receipts', { config: receipts.protect({ scopes: ['receipts:read'] }) }, async ({ auth }) => auth.clientId)
 * ```
 */
export function defineResourceServer<const S extends string, C extends TSchema = TSchema>(
  catalogue: Catalogue<S, C, readonly [S, ...S[]]>,
): DefinedResourceServer<S, C>
export function defineResourceServer<S extends string, C extends TSchema = TSchema>(
  catalogue: Catalogue<S, C, ScopeHierarchy<S>>,
): DefinedResourceServer<S, C>
export function defineResourceServer<S extends string, C extends TSchema = TSchema>(
  catalogue: Catalogue<S, C>,
): DefinedResourceServer<S, C>
export function defineResourceServer<S extends string, C extends TSchema>(
  catalogue: Catalogue<S, C>,
): DefinedResourceServer<S, C> {
  const { scopes, claims } = catalogue
  const fixed = { scopes, ...(claims === undefined ? {} : { claims }) }
  return Object.freeze({
    plugin: fp(
      async (fastify: FastifyInstance, options: RemainingOptions) =>
        protectScope(fastify, () => parseOptions(options, undefined, fixed)),
      { fastify: '5.x', name: 'fastify-resource-server' },
    ),
    // A rule that is undefined stays one, which stops the start: the name in a table may be misspelt.
    protect: (...given: readonly [rule?: RouteRequirement<S>]) => ({
      oauth: (given.length === 0 ? {} : given[0]) as never,
    }),
    open: Object.freeze({ oauth: false as const }),
  })
}
