import { createGuard, proceedWithoutToken, type Guard, type GuardSteps } from './guard.js'

/**
 * Creates the hook for `mode: 'report'`. It accepts every request immediately, and reports requests that would
 * otherwise be refused. It sets no headers, and it leaves `request.auth` null, so responses do not depend on the token.
 */
export function createReportOnlyGuard(steps: Omit<GuardSteps, 'refuse'>): Guard {
  const { reported } = steps
  const check = createGuard({
    ...steps,
    refuse(refusal, refused) {
      reported.note(refusal, refused)
      return undefined
    },
  })
  return (request, reply, done) => {
    check(request, reply, error => {
      if (error !== undefined) reported.noteFailure(error.cause, request)
    })
    proceedWithoutToken(request)
    done()
  }
}
