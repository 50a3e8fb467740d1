import type { Claims, Profile, TokenContent } from '../issue/profile.js'
import { signToken, type TokenShape } from '../issue/sign-token.js'
import type { SigningKey } from '../issue/signing-keys.js'

/**
 * The content, the issuer's profile and the signing key of a valid token. Invalid tokens are created by changing parts
 * of these.
 */
export interface Ingredients {
  readonly content: TokenContent
  readonly shape: TokenShape
  readonly profile: Profile
  readonly key: SigningKey
}

/** One way to make a token invalid. */
export interface Flaw {
  readonly why: string
  readonly make: (ingredients: Ingredients) => string | Promise<string>
  /** Returns true if a token with this flaw would still be valid, so that the flaw is skipped. */
  readonly unless?: (ingredients: Ingredients) => boolean
  readonly status?: 403
}

/** Maps names to flaws. Each flaw makes one part of a token invalid and leaves the rest valid. */
export type Flaws = Readonly<Record<string, Flaw>>

export function good({ content, shape, profile, key }: Ingredients): Promise<string> {
  return signToken(content, shape, profile, key)
}

/** The changes that turn a valid token into an invalid token. */
interface Change {
  readonly content?: Partial<TokenContent>
  readonly claims?: Claims
  readonly header?: Readonly<Record<string, unknown>>
}

/** Changes the content of a valid token before signing it with the issuer's key. */
export function signed({ content, shape, profile, key }: Ingredients, change: Change): Promise<string> {
  const changed = { ...withHeader(shape, change.header), claims: { ...shape.claims, ...change.claims } }
  return signToken({ ...content, ...change.content }, changed, profile, key)
}

export function withHeader(shape: TokenShape, header: Change['header']): TokenShape {
  return { ...shape, header: { ...shape.header, ...header } }
}
