import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { LogController, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { watchChannels } from '../live/watch-channels.js'

const currentTrace = new AsyncLocalStorage<string>()

/** `version-traceid-parentid-flags` (W3C Trace Context §3.2). */
const traceparent = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-|$)/

/** For `fastify(…)`: a request's id is the trace it belongs to, its caller's or a new one, and each log line has it. */
export const tracedRequests = {
  logController: new LogController({ requestIdLogLabel: 'traceId' }),
  genReqId: ({ headers }: Pick<IncomingMessage, 'headers'>): string =>
    traceparent.exec(String(headers['traceparent']))?.[1] ?? newTraceId(),
}

function newTraceId(): string {
  return randomBytes(16).toString('hex')
}

/** The trace that the running code belongs to: a request's, or one that was taken up again. */
export function currentTraceId(): string | undefined {
  return currentTrace.getStore()
}

/** Runs work that a request left for later in that request's trace; in a new one where it had none. */
export function inTrace<T>(traceId: string | null, work: () => T): T {
  return currentTrace.run(traceId ?? newTraceId(), work)
}

/** What is called while a request is worked on is told its trace, so that one id finds a purchase in every log. */
export const traceContext = fp(async (app: FastifyInstance) => {
  tellCalled()
  app.addHook('onRequest', (request, _reply, done) => currentTrace.run(request.id, done))
})

interface UndiciRequest {
  addHeader(name: string, value: string): unknown
}

let isTelling = false
/** Once a process: undici, Node's own `fetch` included, announces each request before it is sent. */
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
