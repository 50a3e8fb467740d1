import type { AccessToken } from '../access-token.js'
import type { Requirement } from '../authorize/requirement.js'
import { reportAllowed } from '../diagnostics.js'
import type { Tally } from '../stats.js'
import type { GuardedRequest } from './refuse.js'

/** Called for each request that is accepted with a token. */
export type Allow = (token: AccessToken, allowed: GuardedRequest) => void

/**
 * Creates a function to call for each accepted request. The function counts the request and publishes an event.
 * @param reportRule checks the requirements in the route's `report` rule
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

/** Returns a function that sets `request.auth` and then calls `allow`. */
export function withAuth(allow: Allow): Allow {
  return (token, allowed) => {
    allowed.request.auth = token
    allow(token, allowed)
  }
}
