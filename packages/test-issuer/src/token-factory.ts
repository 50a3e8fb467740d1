import { makeBadTokens, type BadToken } from './check/bad-tokens.js'
import type { TokenContent } from './issue/profile.js'
import { signToken, type TokenShape } from './issue/sign-token.js'
import type { SigningKeys } from './issue/signing-keys.js'
import type { Settings } from './options.js'
import { readTokenOptions, type TokenOptions } from './token-options.js'

/** The content of a token, without what the issuer adds. */
export type GrantedContent = Omit<TokenContent, 'issuer' | 'issuedAt' | 'expiresAt'>

/** Creates tokens and signs them with the issuer's key. */
export interface TokenFactory {
  /** Creates a token from options that a test has passed. */
  sign(options: TokenOptions): Promise<string>
  /** Creates the invalid variants of a token with the given options. */
  signBad(options: TokenOptions): Promise<readonly BadToken[]>
  /** Creates a token for a request that the token endpoint has granted. */
  signGranted(content: GrantedContent, shape: TokenShape): Promise<string>
}

/** @param issuer the issuer identifier */
export function createTokenFactory(
  issuer: string,
  { settings, keys, now }: { settings: Settings; keys: SigningKeys; now: () => number },
): TokenFactory {
  const { profile } = settings
  function dated(content: GrantedContent, lifetimeMs: number): TokenContent {
    const time = now()
    const [issuedAt, expiresAt] = [Math.floor(time / 1000), Math.floor((time + lifetimeMs) / 1000)]
    return { ...content, issuer, issuedAt, expiresAt }
  }
  function contentOf(options: TokenOptions): TokenContent {
    const { expiresInMs, ...content } = readTokenOptions(options, settings)
    return dated(content, expiresInMs)
  }
  return {
    sign: async options => signToken(contentOf(options), options, profile, keys.current),
    signBad: async options =>
      makeBadTokens({ content: contentOf(options), shape: options, profile, key: keys.current }),
    signGranted: (content, shape) =>
      signToken(dated(content, settings.expiresInMs), shape, profile, keys.current),
  }
}
