import type { FastifyRequest } from 'fastify'
import { isObserved, report, since, writeLog } from '../diagnostics.js'
import type { Refusal } from '../errors.js'
import type { Logger } from '../log.js'
import type { Tally } from '../stats.js'
import type { RefusalError } from './refusal-table.js'

export interface RefusedAt {
  readonly log: Logger
  readonly tally: Tally
  readonly request?: FastifyRequest
  readonly startedAt: number | undefined
}

/** Counts and logs a refusal, and publishes an event for it. */
export function reportRefusal(
  { reason, detail, issuer, kid }: Refusal,
  { code, statusCode }: RefusalError,
  { log, tally, request, startedAt }: RefusedAt,
): void {
  tally.refused[reason] = (tally.refused[reason] ?? 0) + 1
  writeLog(() => log.info({ code, reason, detail, issuer, kid }, 'access refused'))
  if (!isObserved('fastify-resource-server:deny')) return
  const durationMs = since(startedAt)
  report('fastify-resource-server:deny', { request, statusCode, reason, detail, issuer, kid, durationMs })
}
