import type { RefusalReason } from '../errors.js'
import type { StepName } from '../verify/candidate.js'
import type { RuleCheckName } from '../verify-by-rule.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** The name of a check that `explain` runs. */
export type CheckName = StepName | 'revoked' | RuleCheckName

/**
 * The result of a check. `skipped` means that there was nothing to check, for example because the token has no `nbf`.
 * `not reached` means that the check could not run, because an earlier check failed.
 */
export type CheckResult = 'passed' | 'failed' | 'skipped' | 'not reached'

/** A check of a token, and its result. */
export interface ExplainedCheck {
  readonly name: CheckName
  readonly result: CheckResult
  /**
   * The values that were checked, as text. Long values are truncated, and invisible characters are escaped. If there
   * was nothing to check, the text is empty.
   */
  readonly found: string
  /** The names of the options that control the check, or `none`. */
  readonly option: string
  /** The refusal reason if the check failed, as it appears in the log. */
  readonly reason?: RefusalReason
  /** A description of the failure, as it appears in the log. */
  readonly detail?: string
  /** How to fix the failure. */
  readonly fix?: string
}

/**
 * Explains why a token is accepted or refused. The explanation contains claims from the token, but neither the token
 * itself nor its signature.
 */
export interface Explanation {
  readonly accepted: boolean
  /** The refusal reason of the first failed check, or undefined if all checks passed. */
  readonly reason: RefusalReason | undefined
  /** All checks in the order in which they run. */
  readonly checks: readonly ExplainedCheck[]
  /**
   * The vendor, such as Auth0 or Okta, that was recognized from the token, or undefined if the token is opaque or
   * matches no known profile.
   */
  readonly recognized: RecognizedIssuer | undefined
}
