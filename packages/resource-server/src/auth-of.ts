import type { AccessToken } from './access-token.js'
import type { OAuthTypes } from './oauth-types.js'

declare const token: unique symbol

/**
 * Adds the type of `request.auth` to the type of a route's rule. The rules created with `defineResourceServer` use this
 * interface instead of the global interface `OAuthTypes`.
 */
export interface GivesToken<T> {
  readonly [token]?: T
}

/**
 * The type of `request.auth` on a route with this `config`: `AccessToken` if the route is protected, `null` if it is
 * public, and `AccessToken | null` if the token is optional. If the rule's type is unknown, the route counts as
 * protected, unless `OAuthTypes` declares `defaultAccess: 'public'`. If `OAuthTypes` declares `mode: 'report'`, the
 * type includes null on every route.
 */
// In this conditional type, `Config` must not appear after `extends`: TypeScript 5 would then treat `FastifyRequest` as invariant in `Config`.
export type AuthOf<Config> = Config extends { readonly oauth: infer Rule } ? AuthByRule<Rule> : Undecided

type Undecided = OAuthTypes extends { defaultAccess: 'public' } ? AccessToken | null : Granted<AccessToken>

type Granted<Token> = OAuthTypes extends { mode: 'report' } ? Token | null : Token

/**
 * A rule of type `boolean` belongs to a public route, because TypeScript widens `false` to `boolean`, and `true` is not
 * a valid rule.
 */
type AuthByRule<Rule> = Rule extends boolean
  ? null
  : Rule extends { readonly optional: false }
    ? Granted<TokenOf<Rule>>
    : Rule extends { readonly optional: boolean }
      ? TokenOf<Rule> | null
      : Granted<TokenOf<Rule>>

type TokenOf<Rule> = typeof token extends keyof Rule ? NonNullable<Rule[typeof token]> : AccessToken
