import type { RefusalReason } from '../errors.js'
import type { StepName } from '../verify/candidate.js'
import type { RuleCheckName } from '../verify-by-rule.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** The name of a check. */
export type CheckName = StepName | 'revoked' | RuleCheckName

/**
 * `skipped`: there was nothing to check, such as a missing `nbf`. `not reached`: an earlier check failed to produce the
 * input of this check.
 */
export type CheckResult = 'passed' | 'failed' | 'skipped' | 'not reached'

/** A check of a token with its result. */
export interface ExplainedCheck {
  readonly name: CheckName
  readonly result: CheckResult
  /**
   * The checked values as text. Long values are shortened, and invisible characters are escaped. Empty if there are no
   * values.
   */
  readonly found: string
  /** The options that control the check, or `none`. */
  readonly option: string
  /** The reason for the failure, as in the log. */
  readonly reason?: RefusalReason
  /** The reason as a sentence. */
  readonly detail?: string
  /** How to fix the failure. */
  readonly fix?: string
}

/** Why a token is accepted or refused. It contains values of claims, but neither the token nor its signature. */
export interface Explanation {
  readonly accepted: boolean
  /** The reason of the first failed check. A request with this token is refused for this reason. */
  readonly reason: RefusalReason | undefined
  /** All checks in the order in which they run. */
  readonly checks: readonly ExplainedCheck[]
  /** The issuer that the token seems to come from. Undefined for opaque tokens and unknown issuers. */
  readonly recognized: RecognizedIssuer | undefined
}
