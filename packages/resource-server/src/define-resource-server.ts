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

/** The scopes that an API defines, and a schema for the claims of its tokens. */
export interface Catalogue<
  S extends string,
  C extends TSchema,
  Scopes = readonly [S, ...S[]] | ScopeHierarchy<S>,
> {
  /** All scopes that routes may require: a list, or an object that maps each scope to the scopes that it includes. */
  readonly scopes: Scopes
  /**
   * A schema for the claims, such as `Type.Object({ tenant: Type.String() })`. Tokens whose claims do not match the
   * schema are refused.
   */
  readonly claims?: C
}

/** A protected route's rule, together with the type of `request.auth`. */
type Rule<S extends string, C extends TSchema> = RouteRequirement<S> & GivesToken<AccessToken<S, ClaimsOf<C>>>

/** The options of the plugin, except those that `defineResourceServer` sets. */
export type RemainingOptions = Omit<ResourceServerOptions, 'api' | 'claims' | 'scopes'>

/** A resource server with its own types for scopes and claims. */
export interface DefinedResourceServer<S extends string, C extends TSchema> {
  /** The plugin. Pass it to `register`, together with the remaining options. */
  readonly plugin: FastifyPluginAsync<RemainingOptions>
  /** Returns the `config` of a route whose token is optional: `request.auth` is null if the request has no token. */
  protect(rule: RouteRequirement<S> & { readonly optional: true }): {
    readonly oauth: Rule<S, C> & { readonly optional: true }
  }
  /**
   * Returns the `config` of a protected route with this rule. Without an argument, the route accepts any valid token.
   */
  protect(rule?: RouteRequirement<S> & { readonly optional?: false }): {
    readonly oauth: Rule<S, C> & { readonly optional?: false }
  }
  /** The `config` of a public route. */
  readonly open: { readonly oauth: false }
}

/**
 * Creates a variant of the plugin that has its own types for scopes and claims, instead of the global types in
 * `OAuthTypes`. Use it for libraries, or for several APIs in one process.
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
    // An explicit `undefined` is passed on, so that startup fails: the name of the rule is probably misspelt.
    protect: (...given: readonly [rule?: RouteRequirement<S>]) => ({
      oauth: (given.length === 0 ? {} : given[0]) as never,
    }),
    open: Object.freeze({ oauth: false as const }),
  })
}
