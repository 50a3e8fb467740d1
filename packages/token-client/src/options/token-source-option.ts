import { callback, type Parser } from 'declared-options'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'
import type { Target } from './target-options.js'

/** What a token source is asked for: the client's own target, or that of `with`. */
export interface SourceRequest extends Target {
  /** Aborts after `issuerTimeoutMs`, and when the client is closed. */
  readonly signal: AbortSignal
}

/** A token of a token source. It is sent as `Bearer` (RFC 6750 §2.1). */
export interface SourcedToken {
  readonly accessToken: string
  /** The token's remaining lifetime in seconds. Default: until the `exp` of a JWT; 60 for any other token. */
  readonly expiresIn?: number | undefined
}

/**
 * Gets an access token from somewhere other than a token endpoint. What it throws is logged; callers get a
 * `TokenUnavailableError`.
 */
export type TokenSource = (request: SourceRequest) => SourcedToken | Promise<SourcedToken>

export const tokenSourceOption: Parser<TokenSource> = callback<TokenSource>(
  'a function that returns { accessToken, expiresIn }',
)

/**
 * @param issuerOptions names of the options that describe an authorization server
 * @throws {InvalidOptionError} if one of them is beside `tokenSource`, with which there is no authorization server
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
    throw new InvalidOptionError('option `ca` has no effect with a `dispatcher`; pass it to that dispatcher')
  return tokenSource
}
