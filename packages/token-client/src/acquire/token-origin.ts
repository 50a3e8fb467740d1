import type { TargetOptions } from '../options/target-options.js'
import type { AskForToken } from './ask-for-token.js'

/** One kind of token: calls that need the same kind share one token. */
export interface TokenKind {
  /** Identifies the kind among all kinds of one origin. */
  readonly key: string
  readonly ask: AskForToken
}

/** Where a client's tokens come from. */
export interface TokenOrigin {
  /** Tokens of the client itself. @throws {InvalidOptionError} if the target makes no sense */
  forClient(target: TargetOptions): TokenKind
  /** Tokens on behalf of the one whose token is given. @throws {InvalidOptionError} */
  onBehalfOf(subjectToken: string, target: TargetOptions): TokenKind
  close(): Promise<void>
}
