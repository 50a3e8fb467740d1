import { messageOf } from 'oauth-issuer-connection'
import { report, writeLog } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { ResolutionEvent } from './issuers/resolution.js'
import type { Logger } from './log.js'

/** Logs and publishes what came of looking up an issuer. */
export function reportResolution(event: ResolutionEvent, issuer: string, log: Logger): void {
  const { durationMs } = event
  if (event.type === 'resolved') {
    report('fastify-resource-server:issuer', { issuer, trusted: event.trusted, durationMs })
    if (event.withdrawn)
      writeLog(() => log.info({ issuer }, 'the issuer is withdrawn; its tokens are refused from now on'))
    return
  }
  const { error, servingStale, retryAfterMs } = event
  const message = messageOf(error)
  report('fastify-resource-server:issuer-failed', { issuer, message, servingStale, retryAfterMs, durationMs })
  const details = { issuer, reason: message, servingStale, retryAfterMs }
  writeLog(() =>
    error instanceof InvalidOptionError
      ? log.error(details, 'the options of an issuer are wrong')
      : log.warn(details, 'an issuer cannot be looked up'),
  )
}
