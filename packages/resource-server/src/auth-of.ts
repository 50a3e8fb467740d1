import type { AccessToken } from './access-token.js'
import type { OAuthTypes } from './oauth-types.js'

declare const token: unique symbol

/**
 * Attaches the type of `request.auth` to the type of an access rule. `defineResourceServer` uses this interface for its
 * rules, so they do not depend on the global interface `OAuthTypes`.
 */
export interface GivesToken<T> {
  readonly [token]?: T
}

/**
 * The type of `request.auth` on a route with this `config`: `AccessToken` if the route is protected, `null` if it is
 * public, and `AccessToken | null` if the token is optional. If TypeScript cannot determine the type of the access rule
 * in `config`, the route counts as protected, unless `OAuthTypes` declares `defaultAccess: 'public'`. If `OAuthTypes`
 * declares `mode: 'report'`, the type includes null on every route.
 */
// `Config` must appear only before `extends` in this type. Otherwise, TypeScript 5 treats `FastifyRequest` as invariant in `Config`.
export type AuthOf<Config> = Config extends { readonly oauth: infer Rule } ? AuthByRule<Rule> : Undecided

type Undecided = OAuthTypes extends { defaultAccess: 'public' } ? AccessToken | null : Granted<AccessToken>

type Granted<Token> = OAuthTypes extends { mode: 'report' } ? Token | null : Token

/**
 * A route whose `oauth` has the type `boolean` is public: `true` is not a valid value, so the type can only be a
 * `false` that TypeScript has widened to `boolean`.
 */
type AuthByRule<Rule> = Rule extends boolean
  ? null
  : Rule extends { readonly optional: false }
    ? Granted<TokenOf<Rule>>
    : Rule extends { readonly optional: boolean }
      ? TokenOf<Rule> | null
      : Granted<TokenOf<Rule>>

type TokenOf<Rule> = typeof token extends keyof Rule ? NonNullable<Rule[typeof token]> : AccessToken
