import type { FastifyRequest } from 'fastify'
import { isObserved, report, writeLog } from '../diagnostics.js'
import type { Refusal } from '../errors.js'
import type { Credentials, NoCredentials } from '../extract-token.js'
import { refusalTable } from '../respond/refusal-table.js'
import type { ReportedRefusal } from '../stats.js'
import { clientOf } from './client-of.js'

/**
 * Records requests that were accepted although a check failed. Its methods never throw, because recording must not make
 * a request fail.
 */
export interface ReportedRefusals {
  note(refusal: Refusal, refused: ReportedRequest): void
  /**
   * Records a request for which one of the application's callbacks failed.
   * @param cause the error that the callback threw
   */
  noteFailure(cause: unknown, request: FastifyRequest): void
  list(): readonly ReportedRefusal[]
}

/** A request that was accepted although a check failed. */
export interface ReportedRequest {
  readonly request: FastifyRequest
  readonly credentials: Credentials | NoCredentials
}

/**
 * The maximum number of entries, each for one client, route and reason. Once it is reached, requests from other clients
 * are counted together. The limit is lower for clients whose tokens were not verified, so that they leave room for
 * verified clients.
 */
const mostEntries = { verified: 1_000, claimed: 500 } as const
/** The minimum time between two log lines about the same client, route and reason, in milliseconds. */
const logIntervalMs = 60_000

type Entry = { -readonly [Name in keyof ReportedRefusal]: ReportedRefusal[Name] } & { loggedAt: number }
type Counted = Pick<ReportedRefusal, 'client' | 'isVerified' | 'route' | 'reason'>

/** Additional properties of the log line and of the event. */
interface Details extends Partial<Pick<Refusal, 'detail' | 'issuer' | 'kid'>> {
  readonly err?: unknown
}

export function createReportedRefusals(now: () => number): ReportedRefusals {
  const entries = new Map<string, Entry>()

  function entryOf(counted: Counted): Entry {
    const key = JSON.stringify([counted.client, counted.isVerified, counted.route, counted.reason])
    const known = entries.get(key)
    if (known !== undefined) return known
    const isFull = entries.size >= mostEntries[counted.isVerified ? 'verified' : 'claimed']
    if (isFull && counted.client !== null) return entryOf({ ...counted, client: null, isVerified: false })
    const entry = { ...counted, count: 0, lastAt: 0, loggedAt: Number.NEGATIVE_INFINITY }
    entries.set(key, entry)
    return entry
  }

  function count(counted: Counted, request: FastifyRequest, details: Details): void {
    const entry = entryOf(counted)
    entry.count += 1
    entry.lastAt = now()
    publish(counted, request, details)
    if (entry.lastAt < entry.loggedAt + logIntervalMs) return
    entry.loggedAt = entry.lastAt
    writeLog(() => request.log.info({ ...shown(entry), ...details }, 'access would be refused'))
  }

  return {
    note: (refusal, { request, credentials }) =>
      contain(() => {
        const { reason, detail, issuer, kid } = refusal
        const route = routeOf(request)
        count({ ...clientOf(refusal, credentials), route, reason }, request, { detail, issuer, kid })
      }),
    noteFailure: (err, request) =>
      contain(() => {
        const route = routeOf(request)
        count({ client: null, isVerified: false, route, reason: 'failed' }, request, { err })
      }),
    list: () => Array.from(entries.values(), shown),
  }
}

function publish(counted: Counted, request: FastifyRequest, { detail, issuer, kid }: Details): void {
  if (!isObserved('fastify-resource-server:report')) return
  const { reason } = counted
  const statusCode = reason === 'failed' ? 500 : refusalTable[reason].createError().statusCode
  report('fastify-resource-server:report', { ...counted, request, statusCode, detail, issuer, kid })
}

function shown({ client, isVerified, route, reason, count, lastAt }: Entry): ReportedRefusal {
  return { client, isVerified, route, reason, count, lastAt }
}

function routeOf({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${routeOptions.url ?? ''}`
}

/**
 * Calls a function and ignores any error that it throws, for example because the application's `clock` function failed.
 */
function contain(note: () => void): void {
  try {
    note()
  } catch {
    // The request has already been accepted, so a failed report must not affect it.
  }
}
