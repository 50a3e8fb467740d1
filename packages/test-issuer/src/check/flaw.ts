import type { Claims, Profile, TokenContent } from '../issue/profile.js'
import { signToken, type TokenShape } from '../issue/sign-token.js'
import type { SigningKey } from '../issue/signing-keys.js'

/** What bad tokens are made from: a good token's content, and the issuer's profile and key. */
export interface Ingredients {
  readonly content: TokenContent
  readonly shape: TokenShape
  readonly profile: Profile
  readonly key: SigningKey
}

/** One way to spoil a token. */
export interface Flaw {
  readonly why: string
  readonly make: (ingredients: Ingredients) => string | Promise<string>
  /** True if the change would not make this token bad. */
  readonly unless?: (ingredients: Ingredients) => boolean
  readonly status?: 403
}

/** Name → flaw. Each spoils one thing and leaves the rest of the token valid. */
export type Flaws = Readonly<Record<string, Flaw>>

export function good({ content, shape, profile, key }: Ingredients): Promise<string> {
  return signToken(content, shape, profile, key)
}

/** What differs from the good token. */
interface Change {
  readonly content?: Partial<TokenContent>
  readonly claims?: Claims
  readonly header?: Readonly<Record<string, unknown>>
}

/** The good token with a change, properly signed. */
export function signed({ content, shape, profile, key }: Ingredients, change: Change): Promise<string> {
  const changed = { ...withHeader(shape, change.header), claims: { ...shape.claims, ...change.claims } }
  return signToken({ ...content, ...change.content }, changed, profile, key)
}

export function withHeader(shape: TokenShape, header: Change['header']): TokenShape {
  return { ...shape, header: { ...shape.header, ...header } }
}
