import createError from '@fastify/error'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { health, type Check } from './health.js'
import { traceContext } from './trace-context.js'

/** Options that differ between services. */
export interface OperationsOptions {
  /** Dependencies of the service, by name. */
  readonly checks?: Readonly<Record<string, Check>>
  /** Content security policy of its pages; without it, nothing may be loaded. */
  readonly contentSecurityPolicy?: FastifyHelmetOptions['contentSecurityPolicy']
  /** Maximum requests per minute from one address. */
  readonly requestsPerMinute?: number
}

/** 429: too many requests from one address; `Retry-After` says when to try again. */
const TooManyRequestsError = createError(
  'TOO_MANY_REQUESTS',
  'Too many requests from this address; try again in %s s.',
  429,
)

/**
 * Services call from few addresses on behalf of many buyers. This limit stops a faulty client without affecting a busy
 * one.
 */
const usualRequestsPerMinute = 30_000

const noPages = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
}

/** Adds what every service needs: traces, security headers, a rate limit, `/health` and `/ready`. */
export const operations = fp(async (app: FastifyInstance, options: OperationsOptions) => {
  const { checks = {}, contentSecurityPolicy = noPages } = options
  await app.register(traceContext)
  await app.register(helmet, {
    contentSecurityPolicy,
    // A proxy that terminates TLS sets this header; the demo itself uses plain HTTP.
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
  // The limit counts by address and before the token is verified: invalid tokens count too, and a client id that has
  // not been verified could be used to exhaust the limit of another client.
  const limit = app.rateLimit()
  app.addHook('onRequest', async function (request, reply) {
    // Undefined: a route's own `rateLimit` applies; false disables the limit.
    if (request.routeOptions.config.rateLimit === undefined) await limit.call(this, request, reply)
  })
  await app.register(health, { checks })
})
