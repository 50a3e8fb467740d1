import type { RefusalReason } from '../errors.js'
import type { StepName } from '../verify/candidate.js'
import type { RuleCheckName } from '../verify-by-rule.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** The name of a check that `explain` runs. */
export type CheckName = StepName | 'revoked' | RuleCheckName

/**
 * The result of a check. `skipped`: the token has nothing to check, for example because it has no `nbf`. `not reached`:
 * the check could not run, because an earlier check failed.
 */
export type CheckResult = 'passed' | 'failed' | 'skipped' | 'not reached'

/** A check that was run on a token, with its result. */
export interface ExplainedCheck {
  readonly name: CheckName
  readonly result: CheckResult
  /**
   * The values that were checked, as text. Long values are truncated, and invisible characters are escaped. Empty if
   * there was nothing to check.
   */
  readonly found: string
  /** The names of the options that control the check, or `none`. */
  readonly option: string
  /** The refusal reason of a failed check, as in the log. */
  readonly reason?: RefusalReason
  /** A description of the failure, as in the log. */
  readonly detail?: string
  /** How to fix the failure. */
  readonly fix?: string
}

/** Explains why a token is accepted or refused. Contains claims of the token, but not the token or its signature. */
export interface Explanation {
  readonly accepted: boolean
  /** The reason of the first failed check, for which a request with this token is refused. Undefined if none failed. */
  readonly reason: RefusalReason | undefined
  /** All checks in the order in which they run. */
  readonly checks: readonly ExplainedCheck[]
  /** The vendor whose issuer seems to have issued the token. Undefined if the token is opaque or matches no profile. */
  readonly recognized: RecognizedIssuer | undefined
}
