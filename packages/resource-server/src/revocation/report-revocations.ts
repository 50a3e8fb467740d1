import { report, writeLog } from '../diagnostics.js'
import type { Logger } from '../log.js'
import type { Revocation } from './revocation.js'

/** Logs and publishes that a revocation took effect in this process, or was undone. */
export function reportRevocation(
  { issuer, by, value, until, issuedBefore }: Revocation,
  undone: boolean,
  log: Logger,
): void {
  const revocation = { issuer, by, value, until, issuedBefore }
  report('fastify-resource-server:revocation', { ...revocation, undone })
  writeLog(() => log.info(revocation, undone ? 'revocation undone' : 'tokens revoked'))
}
