import type { AccessToken } from './access-token.js'
import type { OAuthTypes } from './oauth-types.js'

/** A key that exists only in types: it stores the token type of a rule. */
declare const token: unique symbol

/** Adds the type of the token to the type of a rule. `defineResourceServer` uses it instead of a global type. */
export interface GivesToken<T> {
  readonly [token]?: T
}

/**
 * The type of `request.auth` on a route with this `config`. It includes null if the token is optional, and is null if
 * the route is public. A route without a rule counts as protected, unless `OAuthTypes` has `defaultAccess: 'public'`.
 * The same applies if the config is unknown, as in a hook for all routes. With `mode: 'report'` in `OAuthTypes`, the
 * type includes null on every route.
 *
 * `Config` must not appear in an `extends` clause. Otherwise TypeScript 5 treats `FastifyRequest` as invariant in
 * `Config`, and a function that accepts any request rejects the request of a route with a config.
 */
export type AuthOf<Config> = Config extends { readonly oauth: infer Rule } ? AuthByRule<Rule> : Undecided

type Undecided = OAuthTypes extends { defaultAccess: 'public' } ? AccessToken | null : Granted<AccessToken>

/** With `mode: 'report'` in `OAuthTypes`, `request.auth` may be null on every route. */
type Granted<Token> = OAuthTypes extends { mode: 'report' } ? Token | null : Token

/** TypeScript infers `boolean` for a literal `false`. The value `true` is not a valid rule. */
type AuthByRule<Rule> = Rule extends boolean
  ? null
  : Rule extends { readonly optional: false }
    ? Granted<TokenOf<Rule>>
    : Rule extends { readonly optional: boolean }
      ? TokenOf<Rule> | null
      : Granted<TokenOf<Rule>>

type TokenOf<Rule> = typeof token extends keyof Rule ? NonNullable<Rule[typeof token]> : AccessToken
