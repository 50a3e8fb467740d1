import { createGuard, proceedWithoutToken, type Guard, type GuardSteps } from './guard.js'

/**
 * The guard with `mode: 'report'`: lets every request in at once, and reports those that would be refused. It sets no
 * header and waits for nothing, and `request.auth` is null for every request, so that no answer can depend on the token.
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
