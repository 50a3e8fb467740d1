import type { AccessToken } from './access-token.js'
import type { OAuthTypes } from './oauth-types.js'

/** A property key that exists only in types. It stores the type of the token that a rule produces. */
declare const token: unique symbol

/** Adds the token's type to the type of a route's rule. `defineResourceServer` uses this instead of a global type. */
export interface GivesToken<T> {
  readonly [token]?: T
}

/**
 * The type of `request.auth` on a route with this `config`. The type is `AccessToken` on protected routes,
 * `AccessToken | null` if the token is optional, and `null` on public routes. A route without a rule counts as
 * protected, unless `OAuthTypes` has `defaultAccess: 'public'`. The same applies if the config is unknown, for example
 * in a hook for all routes. With `mode: 'report'` in `OAuthTypes`, the type includes null on every route.
 *
 * Do not use `Config` after `extends` in this type. Otherwise TypeScript 5 treats `FastifyRequest` as invariant in
 * `Config`. A function that accepts any request would then reject the request of a route with a config.
 */
export type AuthOf<Config> = Config extends { readonly oauth: infer Rule } ? AuthByRule<Rule> : Undecided

type Undecided = OAuthTypes extends { defaultAccess: 'public' } ? AccessToken | null : Granted<AccessToken>

/** With `mode: 'report'` in `OAuthTypes`, `request.auth` may be null on every route. */
type Granted<Token> = OAuthTypes extends { mode: 'report' } ? Token | null : Token

/** The rule `false` means a public route. TypeScript infers `boolean` for it, and `true` is not a valid rule. */
type AuthByRule<Rule> = Rule extends boolean
  ? null
  : Rule extends { readonly optional: false }
    ? Granted<TokenOf<Rule>>
    : Rule extends { readonly optional: boolean }
      ? TokenOf<Rule> | null
      : Granted<TokenOf<Rule>>

type TokenOf<Rule> = typeof token extends keyof Rule ? NonNullable<Rule[typeof token]> : AccessToken
