import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LogController, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { watchChannels } from '../live/watch-channels.js'

const currentTrace = new AsyncLocalStorage<string>()

/** `version-traceid-parentid-flags` (W3C Trace Context §3.2). */
const traceparent = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-|$)/

/**
 * Options for `fastify(…)`: the request id is the trace id of the caller, or a new one, and each log line contains it.
 */
export const tracedRequests = {
  logController: new LogController({ requestIdLogLabel: 'traceId' }),
  genReqId: ({ headers }: Pick<IncomingMessage, 'headers'>): string =>
    traceparent.exec(String(headers['traceparent']))?.[1] ?? newTraceId(),
}

function newTraceId(): string {
  return randomBytes(16).toString('hex')
}

/** Trace id of the running code. */
export function currentTraceId(): string | undefined {
  return currentTrace.getStore()
}

/** Runs deferred work in the trace of the request that caused it, or in a new trace if it is unknown. */
export function inTrace<T>(traceId: string | null, work: () => T): T {
  return currentTrace.run(traceId ?? newTraceId(), work)
}

/** Passes the trace id on with outgoing requests, so one id finds a purchase in the log of every service. */
export const traceContext = fp(async (app: FastifyInstance) => {
  tellCalled()
  app.addHook('onRequest', (request, _reply, done) => currentTrace.run(request.id, done))
})

interface UndiciRequest {
  addHeader(name: string, value: string): unknown
}

let isTelling = false
/** Subscribes once per process: undici and Node's `fetch` announce each request before they send it. */
function tellCalled(): void {
  if (isTelling) return
  isTelling = true
  watchChannels<{ 'undici:request:create': { request: UndiciRequest } }>({
    'undici:request:create': ({ request }) => {
      const traceId = currentTrace.getStore()
      if (traceId === undefined) return
      request.addHeader('traceparent', `00-${traceId}-${randomBytes(8).toString('hex')}-01`)
    },
  })
}
