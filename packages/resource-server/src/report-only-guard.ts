import { createGuard, proceedWithoutToken, type Guard, type GuardSteps } from './guard.js'

/**
 * Creates the hook for `mode: 'report'`. The hook accepts every request immediately, and reports requests that would be
 * refused. It sets no headers. It always sets `request.auth` to null, so that no response depends on the token.
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
