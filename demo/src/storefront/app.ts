import { fileURLToPath } from 'node:url'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import view from '@fastify/view'
import { Eta } from 'eta'
import fastify, { type FastifyInstance } from 'fastify'
import tokenClient, { type TokenClientFor } from 'fastify-token-client'
import { clientOptions } from '../client-options.js'
import type { StorefrontConfig } from '../config.js'
import { operations } from '../operations/operations.js'
import { serviceLog } from '../operations/service-log.js'
import { tracedRequests } from '../operations/trace-context.js'
import { usedPayments } from '../payments-api.js'
import { seller } from '../receipt-service/seller.js'
import { serveAssets } from './assets.js'
import type { Backstage } from './backstage.js'
import { cover } from './covers/cover.js'
import { errorPages } from './error-pages.js'
import { day, price, timeZoneName } from './money.js'
import { isDecodable } from './is-decodable.js'
import { isFromThisMachine } from './loopback-only.js'
import { createPaymentsApi } from './payments-api.js'
import { cartRoutes } from './routes/cart.js'
import { checkoutRoutes } from './routes/checkout.js'
import { liveRoutes } from './routes/live.js'
import { orderRoutes } from './routes/orders.js'
import { refuseCrossSite } from './same-origin.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The payment service, called with the storefront's own token. */
    payments: TokenClientFor<typeof usedPayments>
  }
}

/** Views are read from src/, so they need no build step. */
const views = fileURLToPath(new URL('../../src/storefront/views', import.meta.url))

/** Pages load only files of this server, without inline styles and scripts. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
}

/** Builds the shop. Buyers have no accounts; the shop is a client of the payment service. */
export async function buildStorefront(
  config: StorefrontConfig,
  backstage?: Backstage,
): Promise<FastifyInstance> {
  const app = fastify({
    ...tracedRequests,
    logger: serviceLog('storefront', config.logLevel),
    trustProxy: config.trustProxy ?? false,
    bodyLimit: 16 * 1024,
    rewriteUrl: ({ url = '/' }) => (isDecodable(url) ? url : '/page-not-found'),
  }).setValidatorCompiler(TypeBoxValidatorCompiler)

  // The shop is ready without the other services, because it can still show its books.
  await app.register(operations, { contentSecurityPolicy, requestsPerMinute: 3_000 })
  await app.register(cookie, { secret: config.cookieSecret })
  await app.register(formbody)
  app.addHook('onRequest', refuseCrossSite)
  const asset = serveAssets(app)
  await app.register(view, {
    engine: { eta: new Eta({ views, autoEscape: true, cache: true }) },
    root: views,
    viewExt: 'eta',
    defaultContext: { asset, cover, price, day, zone: timeZoneName, seller, cartCount: 0, liveHere: false },
  })
  // The token flow is only shown and linked on this machine.
  if (backstage !== undefined)
    app.addHook('onRequest', async (request, reply) => {
      Object.assign(reply, { locals: { liveHere: isFromThisMachine(request) } })
    })
  errorPages(app)

  await app.register(tokenClient, { name: 'payments', ...clientOptions(config.payments, usedPayments) })
  const payments = createPaymentsApi(app.payments)
  await app.register(cartRoutes)
  await app.register(checkoutRoutes, { payments })
  await app.register(orderRoutes, { payments, backstage })
  if (backstage !== undefined) await app.register(liveRoutes, { ...backstage, payments })
  return app
}
