import type { AccessToken } from '../access-token.js'
import type { Requirement } from '../authorize/requirement.js'
import { reportAllowed } from '../diagnostics.js'
import type { Tally } from '../stats.js'
import type { GuardedRequest } from './refuse.js'

/** Handles a request that is accepted with a token. */
export type Allow = (token: AccessToken, allowed: GuardedRequest) => void

/**
 * Counts the request and publishes the event.
 * @param reportRule checks the requirements that are only reported
 */
export function createAllow(
  tally: Tally,
  reportRule: (token: AccessToken, report: Requirement, allowed: GuardedRequest) => void,
): Allow {
  return (token, allowed) => {
    const { startedAt, request, requirement } = allowed
    tally.allowed += 1
    reportAllowed(token, startedAt, request)
    if (requirement.report !== undefined) reportRule(token, requirement.report, allowed)
  }
}

/** Sets `request.auth` before calling `allow`. */
export function withAuth(allow: Allow): Allow {
  return (token, allowed) => {
    allowed.request.auth = token
    allow(token, allowed)
  }
}
