import { callback, type Parser } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'
import type { Target } from './target-options.js'

/** The argument that a token source receives: the scopes, resources and parameters of the requested token. */
export interface SourceRequest extends Target {
  /** A signal that aborts after `issuerTimeoutMs`, or when the client is closed. */
  readonly signal: AbortSignal
}

/** The result of a token source. The token is sent as a bearer token (RFC 6750 §2.1). */
export interface SourcedToken {
  readonly accessToken: string
  /**
   * The token's remaining lifetime in seconds. The default is the time until `exp` for a JWT, and 60 seconds for any
   * other token.
   */
  readonly expiresIn?: number | undefined
}

/**
 * A function that gets an access token from a source other than a token endpoint. If the function throws, the reason is
 * logged and callers receive a `TokenUnavailableError`.
 */
export type TokenSource = (request: SourceRequest) => SourcedToken | Promise<SourcedToken>

export const tokenSourceOption: Parser<TokenSource> = callback<TokenSource>(
  'a function that returns { accessToken, expiresIn }',
)

/**
 * Returns the token source, or undefined if no token source is configured.
 * @param issuerOptions the names of the options that describe an authorization server
 * @throws {InvalidOptionError} if one of these options is combined with `tokenSource`
 */
export function tokenSourceOf(
  { tokenSource, ca, dispatcher }: Checked,
  options: object,
  issuerOptions: readonly string[],
): TokenSource | undefined {
  if (tokenSource === undefined) return undefined
  for (const name of issuerOptions)
    if (Object.hasOwn(options, name))
      throw new InvalidOptionError(
        `option \`${name}\` is for tokens of an authorization server, and has no effect with \`tokenSource\`; leave one of them out`,
      )
  if (ca !== undefined && dispatcher !== undefined)
    throw new InvalidOptionError(
      'option `ca` has no effect with a `dispatcher`; set it in this dispatcher instead',
    )
  return tokenSource
}
