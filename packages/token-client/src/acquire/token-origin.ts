import type { TargetOptions } from '../options/target-options.js'
import type { AskForToken } from './ask-for-token.js'

/** A kind of token. All calls that need the same kind share one token. */
export interface TokenKind {
  /** Identifies this kind of token. */
  readonly key: string
  readonly ask: AskForToken
}

/** The source of a client's tokens. */
export interface TokenOrigin {
  /**
   * Returns the kind of token for the client itself.
   * @throws {InvalidOptionError} if the target is invalid
   */
  forClient(target: TargetOptions): TokenKind
  /**
   * Returns the kind of token on behalf of the subject of `subjectToken`.
   * @throws {InvalidOptionError} if the target is invalid
   */
  onBehalfOf(subjectToken: string, target: TargetOptions): TokenKind
  close(): Promise<void>
}
