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

/** The scopes of an API, and a schema for the claims of its access tokens. */
export interface Catalogue<
  S extends string,
  C extends TSchema,
  Scopes = readonly [S, ...S[]] | ScopeHierarchy<S>,
> {
  /**
   * All scopes that routes may require, as a list or as an object that maps each scope to the scopes that it includes.
   */
  readonly scopes: Scopes
  /**
   * A schema for the claims, such as `Type.Object({ tenant: Type.String() })`. Tokens that do not match the schema are
   * refused.
   */
  readonly claims?: C
}

/** The access rule of a protected route. Its type also determines the type of `request.auth` on that route. */
type Rule<S extends string, C extends TSchema> = RouteRequirement<S> & GivesToken<AccessToken<S, ClaimsOf<C>>>

/** The plugin's options, except those that `defineResourceServer` already sets. */
export type RemainingOptions = Omit<ResourceServerOptions, 'api' | 'claims' | 'scopes'>

/** A resource server with its own types for scopes and claims. */
export interface DefinedResourceServer<S extends string, C extends TSchema> {
  /** The plugin to pass to `register`, together with the remaining options. */
  readonly plugin: FastifyPluginAsync<RemainingOptions>
  /** Returns the `config` for a route where the token is optional. Without a token, `request.auth` is null. */
  protect(rule: RouteRequirement<S> & { readonly optional: true }): {
    readonly oauth: Rule<S, C> & { readonly optional: true }
  }
  /**
   * Returns the `config` for a protected route with the given access rule. If no rule is given, the route accepts any
   * valid token.
   */
  protect(rule?: RouteRequirement<S> & { readonly optional?: false }): {
    readonly oauth: Rule<S, C> & { readonly optional?: false }
  }
  /** The `config` for a public route. */
  readonly open: { readonly oauth: false }
}

/**
 * Creates a variant of the plugin that has its own types for scopes and claims, instead of the global types in
 * `OAuthTypes`. Use it in libraries, or if several APIs run in one process.
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
    // An explicit `undefined` usually means that the name of a constant is misspelt. It is passed on instead of being replaced by the default rule, so that startup fails.
    protect: (...given: readonly [rule?: RouteRequirement<S>]) => ({
      oauth: (given.length === 0 ? {} : given[0]) as never,
    }),
    open: Object.freeze({ oauth: false as const }),
  })
}
