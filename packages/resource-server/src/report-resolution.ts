import { messageOf } from 'oauth-issuer-connection'
import { report, writeLog } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { ResolvedIssuersSteps } from './issuers/resolved-issuers.js'
import type { Logger } from './log.js'

/**
 * The maximum number of log lines per interval about issuers that have not issued any verified token yet. Without this
 * limit, tokens from invented issuers could flood the log. For other issuers, the back-off already limits the number of
 * failures.
 */
const linesPerInterval = 10
const logIntervalMs = 60_000

/**
 * Publishes an event for each result of the application's `issuers` function. Logs failed lookups, and issuers that the
 * function no longer trusts.
 */
export function createResolutionReport(log: Logger, now: () => number): ResolvedIssuersSteps['onEvent'] {
  const limit = createLineLimit(now)
  return (event, issuer, isProven) => {
    const { durationMs } = event
    if (event.type === 'resolved') {
      report('fastify-resource-server:issuer', { issuer, trusted: event.trusted, durationMs })
      if (event.withdrawn)
        writeLog(() =>
          log.info({ issuer }, 'the issuer is no longer trusted; its tokens are refused from now on'),
        )
      return
    }
    const { error, servingStale, retryAfterMs } = event
    const message = messageOf(error)
    report('fastify-resource-server:issuer-failed', {
      issuer,
      message,
      servingStale,
      retryAfterMs,
      durationMs,
    })
    if (!isProven && !limit.take()) return
    const details = { issuer, reason: message, servingStale, retryAfterMs, ...limit.omitted() }
    writeLog(() =>
      error instanceof InvalidOptionError
        ? log.error(details, 'the options of an issuer are invalid')
        : log.warn(details, 'the issuer lookup failed'),
    )
  }
}

interface LineLimit {
  /** Returns whether another log line may be written. */
  take(): boolean
  /** Returns the number of log lines omitted since the last written line, or an empty object if there were none. */
  omitted(): { readonly omittedLines?: number }
}

function createLineLimit(now: () => number): LineLimit {
  let startedAt = -Infinity
  let lines = 0
  let omittedLines = 0
  return {
    take() {
      const time = now()
      // If the clock was set back, a new interval starts.
      if (time >= startedAt + logIntervalMs || time < startedAt) {
        startedAt = time
        lines = 0
      }
      lines += 1
      if (lines <= linesPerInterval) return true
      omittedLines += 1
      return false
    },
    omitted() {
      const count = omittedLines
      omittedLines = 0
      return count === 0 ? {} : { omittedLines: count }
    },
  }
}
