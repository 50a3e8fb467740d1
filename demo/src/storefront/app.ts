import { fileURLToPath } from 'node:url'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import view from '@fastify/view'
import { Eta } from 'eta'
import fastify, { type FastifyInstance } from 'fastify'
import tokenClient, { type TokenClient } from 'fastify-token-client'
import type { StorefrontConfig } from '../config.js'
import { createPaymentsApi } from './payments-api.js'
import { shopRoutes } from './routes.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The payment service, called with the storefront's own token. */
    payments: TokenClient
  }
}

/** Pages are read from the sources: there is nothing to build. */
const views = fileURLToPath(new URL('../../src/storefront/views', import.meta.url))

/** The shop. Its buyers have no account; it is itself the client of the payment service. */
export async function buildStorefront(config: StorefrontConfig): Promise<FastifyInstance> {
  const app = fastify({ logger: { level: config.logLevel, name: 'storefront' } })
    .setValidatorCompiler(TypeBoxValidatorCompiler)
    .withTypeProvider<TypeBoxTypeProvider>()

  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
  })
  await app.register(formbody)
  await app.register(view, {
    engine: { eta: new Eta({ views, autoEscape: true }) },
    root: views,
    viewExt: 'eta',
  })
  await app.register(tokenClient, { name: 'payments', ...config.payments })
  await app.register(shopRoutes, { payments: createPaymentsApi(app.payments) })
  return app
}
