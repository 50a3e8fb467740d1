import type { RefusalReason } from '../errors.js'
import type { StepName } from '../verify/candidate.js'
import type { RuleCheckName } from '../verify-by-rule.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** What is checked of a token. */
export type CheckName = StepName | 'revoked' | RuleCheckName

/**
 * `skipped`: there was nothing to check, such as an absent `nbf`. `not reached`: an earlier check failed to find what this
 * one needs.
 */
export type CheckResult = 'passed' | 'failed' | 'skipped' | 'not reached'

/** One check of a token, and what came of it. */
export interface ExplainedCheck {
  readonly name: CheckName
  readonly result: CheckResult
  /** The values that it looked at, as text: clipped, with invisible characters escaped. Empty: none. */
  readonly found: string
  /** The options that control it; `none`: it cannot be configured. */
  readonly option: string
  /** Why it failed, as in the log. */
  readonly reason?: RefusalReason
  /** The same as a sentence. */
  readonly detail?: string
  /** What to do about it. */
  readonly fix?: string
}

/** Why a token is accepted or refused. Neither the token nor its signature is in it; values of claims are. */
export interface Explanation {
  readonly accepted: boolean
  /** The reason of the first check that failed: the one that a request is refused for. */
  readonly reason: RefusalReason | undefined
  /** Every check in its order. */
  readonly checks: readonly ExplainedCheck[]
  /** Whose token it seems to be; undefined for opaque tokens and unknown issuers. */
  readonly recognized: RecognizedIssuer | undefined
}
