import { report, writeLog, type ResourceServerEvents } from '../diagnostics.js'
import type { Logger } from '../log.js'
import type { Revocation } from './revocation.js'

/** Logs when a revocation takes effect in this process or is undone, and publishes an event. */
export function reportRevocation(
  { issuer, by, value, until, issuedBefore }: Revocation,
  undone: boolean,
  log: Logger,
): void {
  const revocation = { issuer, by, value, until, issuedBefore }
  report('fastify-resource-server:revocation', { ...revocation, undone })
  writeLog(() => log.info(revocation, undone ? 'revocation undone' : 'tokens revoked'))
}

/**
 * Logs an outage of the revocation store, and publishes an event. If `outage` is undefined, logs that the store is
 * available again.
 */
export function reportStore(
  outage: ResourceServerEvents['fastify-resource-server:revocations-unavailable'] | undefined,
  log: Logger,
): void {
  if (outage === undefined) return writeLog(() => log.info({}, 'the revocation store is available again'))
  report('fastify-resource-server:revocations-unavailable', outage)
  writeLog(() => log.error(outage, 'the revocation store is unavailable'))
}

/** Logs that the store contains an invalid value. The log line omits the value, because it may contain anything. */
export function reportUnreadable(log: Logger): void {
  writeLog(() =>
    log.error(
      {},
      'ignored a value in the revocation store that is not a revocation; check whether another program or another version of this package writes to the store',
    ),
  )
}
