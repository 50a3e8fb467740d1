import type { AccessToken } from './access-token.js'
import type { OAuthTypes } from './oauth-types.js'

/** The key under which a rule carries the type of its token; no rule has it at run time. */
declare const token: unique symbol

/** Says which type of token a rule gives: `defineResourceServer` knows it, where no global type does. */
export interface GivesToken<T> {
  readonly [token]?: T
}

/**
 * What `request.auth` is on a route, by its `config`: the token; the token or null where it is optional; null where the
 * route is public. A route that says nothing, and one whose config is not known, as in a hook for any route, is taken for
 * a protected one; with `defaultAccess: 'public'` in `OAuthTypes`, for one that may be. With
 * `mode: 'report'` there, it may be null on every route.
 *
 * `Config` must not be in an `extends` position: TypeScript 5 would take `FastifyRequest` for invariant in it, and no
 * function for any request could be called with the request of a route that has a config.
 */
export type AuthOf<Config> = Config extends { readonly oauth: infer Rule } ? AuthByRule<Rule> : Undecided

type Undecided = OAuthTypes extends { defaultAccess: 'public' } ? AccessToken | null : Granted<AccessToken>

/** With `mode: 'report'` in `OAuthTypes`, no route can rely on a token. */
type Granted<Token> = OAuthTypes extends { mode: 'report' } ? Token | null : Token

/** A literal `false` is inferred as `boolean`; `true` is no rule. */
type AuthByRule<Rule> = Rule extends boolean
  ? null
  : Rule extends { readonly optional: false }
    ? Granted<TokenOf<Rule>>
    : Rule extends { readonly optional: boolean }
      ? TokenOf<Rule> | null
      : Granted<TokenOf<Rule>>

type TokenOf<Rule> = typeof token extends keyof Rule ? NonNullable<Rule[typeof token]> : AccessToken
