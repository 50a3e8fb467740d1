import type { TargetOptions } from '../options/target-options.js'
import type { AskForToken } from './ask-for-token.js'

/**
 * A kind of token, defined by its scopes and other request parameters. Calls that need the same kind of token share one
 * token.
 */
export interface TokenKind {
  readonly key: string
  readonly ask: AskForToken
}

/** The source of a client's tokens. */
export interface TokenOrigin {
  /**
   * Returns the kind of token that the client requests for itself.
   * @throws {InvalidOptionError} if the scopes, resources or parameters are invalid
   */
  forClient(target: TargetOptions): TokenKind
  /**
   * Returns the kind of token that the client requests on behalf of the subject of `subjectToken`.
   * @throws {InvalidOptionError} if the scopes, resources or parameters are invalid
   */
  onBehalfOf(subjectToken: string, target: TargetOptions): TokenKind
  close(): Promise<void>
}
