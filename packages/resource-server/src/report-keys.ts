import { report, writeLog, type ResourceServerEvents } from './diagnostics.js'
import type { KeyEvent } from './keys/key-set.js'
import type { Logger } from './log.js'

/**
 * Publishes an event when an issuer's keys have been fetched, or when fetching them has failed. Logs failures and
 * withdrawn keys.
 */
export function reportKeys(event: KeyEvent, issuer: string, log: Logger): void {
  if (event.type === 'fetched') {
    const { kids, withdrawn, durationMs } = event
    report('fastify-resource-server:keys', { issuer, kids, withdrawn, durationMs })
    if (withdrawn.length > 0)
      writeLog(() =>
        log.info(
          { issuer, withdrawn },
          'the issuer has withdrawn keys; tokens signed with them are refused from now on',
        ),
      )
    return
  }
  const { error, servingStale, retryAfterMs, durationMs } = event
  report('fastify-resource-server:keys-failed', {
    issuer,
    message: error.message,
    servingStale,
    retryAfterMs,
    durationMs,
  })
  writeLog(() =>
    log.warn(
      { issuer, reason: error.message, servingStale, retryAfterMs },
      "the issuer's keys cannot be fetched",
    ),
  )
}

/** Logs that `node:crypto` and @fastify/jwt disagree about a signature, and publishes an event. */
export function reportDisputed(
  disputed: ResourceServerEvents['fastify-resource-server:signature-disputed'],
  log: Logger,
): void {
  report('fastify-resource-server:signature-disputed', disputed)
  writeLog(() =>
    log.error(
      disputed,
      'node:crypto accepts a signature that @fastify/jwt rejects; tokens signed with this key are refused until both accept a signature made with this key',
    ),
  )
}
