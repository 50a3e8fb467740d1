import fastify, { type FastifyInstance } from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import type { Listening, ProtectedBy } from '../config.js'
import type { Database, DatabaseConfig } from '../database/database.js'
import { openMigrated } from '../database/migrate.js'
import { acceptRoles } from './accept-roles.js'
import { apiDocs, securityScheme } from './api-docs.js'
import { operations } from './operations.js'
import { badUrlProblem, problemDetails } from './problem-details.js'
import { serviceLog } from './service-log.js'
import { tracedRequests } from './trace-context.js'

/** Options that differ between the two APIs. */
export interface ApiServiceOptions {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly api: NonNullable<ResourceServerOptions['api']>
  /** In bytes. */
  readonly bodyLimit: number
  /** The database schema of the service, and the folder of its migrations. */
  readonly schema: string
  readonly migrations: URL
}

/** A service with an API and a database. */
export interface ApiService {
  readonly app: FastifyInstance
  /** Closed after the service. */
  readonly database: Database
  /** Adds routes that need a token. */
  readonly protect: (routes: (app: FastifyInstance) => Promise<void>) => Promise<void>
}

/** Creates a service without its routes. */
export async function createApiService(
  config: Listening & ProtectedBy & { readonly database: DatabaseConfig },
  { name, title, description, api, bodyLimit, schema, migrations }: ApiServiceOptions,
): Promise<ApiService> {
  const app = fastify({
    ...tracedRequests,
    logger: serviceLog(name, config.logLevel),
    trustProxy: config.trustProxy ?? false,
    frameworkErrors: badUrlProblem,
    bodyLimit,
    // A misspelled or unknown property is rejected instead of dropped.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  const database = await openMigrated(config.database, schema, migrations)
  // `onClose` hooks run in reverse order, so everything that uses the database ends before it closes.
  app.addHook('onClose', () => database.close())
  await app.register(problemDetails)
  await app.register(operations, { checks: { database: () => database.query('select 1') } })
  await app.register(apiDocs, { title, description, protectedBy: config, api })
  const protect: ApiService['protect'] = async routes => {
    await app.register(async scope => {
      scope.addHook('onRoute', acceptRoles)
      const { issuer, audience, verification } = config
      await scope.register(resourceServer, {
        issuer,
        api: { ...api, audience },
        ...verification,
        securityScheme,
      })
      await routes(scope)
    })
  }
  return { app, database, protect }
}
