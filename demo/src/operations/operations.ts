import createError from '@fastify/error'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { health, type Check } from './health.js'
import { traceContext } from './trace-context.js'

/** What differs from service to service. */
export interface OperationsOptions {
  /** What the service cannot work without, by name. */
  readonly checks?: Readonly<Record<string, Check>>
  /** What its pages may load; nothing, where there are none. */
  readonly contentSecurityPolicy?: FastifyHelmetOptions['contentSecurityPolicy']
  /** How much one address may ask in a minute. */
  readonly requestsPerMinute?: number
}

/** 429: too much from one address; `Retry-After` says when there is room again. */
const TooManyRequestsError = createError(
  'TOO_MANY_REQUESTS',
  'Those were too many requests from one address; try again in %s s.',
  429,
)

/** Services call from few addresses, each for many buyers: this stops a client that runs wild, and no busy one. */
const usualRequestsPerMinute = 30_000

const noPages = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
}

/** What every service has, whatever it does: traces, safe headers, a rate limit, `/health` and `/ready`. */
export const operations = fp(async (app: FastifyInstance, options: OperationsOptions) => {
  const { checks = {}, contentSecurityPolicy = noPages } = options
  await app.register(traceContext)
  await app.register(helmet, {
    contentSecurityPolicy,
    // For whoever ends TLS in front of the demo, which itself speaks plain HTTP.
    strictTransportSecurity: false,
    // With `no-referrer`, browsers would send forms with `Origin: null`.
    referrerPolicy: { policy: 'same-origin' },
  })
  await app.register(rateLimit, {
    global: false,
    max: options.requestsPerMinute ?? usualRequestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) => new TooManyRequestsError(Math.ceil(ttl / 1000)),
  })
  // By address, and in a hook that runs before the token is looked at: bad tokens have to count, too, and a client id
  // that nothing has verified would let anybody use up another's share.
  const limit = app.rateLimit()
  app.addHook('onRequest', async function (request, reply) {
    // Undefined: a route with a limit of its own has that one, and false none.
    if (request.routeOptions.config.rateLimit === undefined) await limit.call(this, request, reply)
  })
  await app.register(health, { checks })
})
