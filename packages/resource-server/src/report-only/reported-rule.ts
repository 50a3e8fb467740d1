import type { AccessToken } from '../access-token.js'
import { checkAuthentication, type Times } from '../authorize/check-authentication.js'
import { checkScopes } from '../authorize/check-scopes.js'
import type { Requirement } from '../authorize/requirement.js'
import { Refusal } from '../errors.js'
import type { ReportedRefusals, ReportedRequest } from './reported-refusals.js'

/** Checks an accepted token against the requirements in a route's `report` rule, without sending a network request. */
export type ReportRule = (token: AccessToken, report: Requirement, allowed: ReportedRequest) => void

export function createRuleReport(reported: ReportedRefusals, times: Times): ReportRule {
  return (token, report, allowed) => {
    try {
      const refusal =
        checkProof(report, allowed) ?? checkScopes(token, report) ?? checkAuthentication(token, report, times)
      if (refusal !== undefined) reported.note(refusal.of(token), allowed)
    } catch (error) {
      reported.noteFailure(error, allowed.request)
    }
  }
}

/**
 * Checks that the request has a DPoP proof. The proof is not verified again, because a second verification would count
 * as a replay.
 */
function checkProof({ dpop }: Requirement, { credentials }: ReportedRequest): Refusal | undefined {
  const hasProof = typeof credentials !== 'string' && credentials.scheme === 'dpop'
  return hasProof || dpop !== 'require'
    ? undefined
    : new Refusal('binding', 'the route accepts only tokens with a DPoP proof')
}
