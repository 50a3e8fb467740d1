import fastify, { type FastifyInstance } from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import type { Listening, ProtectedBy } from '../config.js'
import type { Database, DatabaseConfig } from '../database/database.js'
import { openMigrated } from '../database/migrate.js'
import { acceptRoles } from './accept-roles.js'
import { apiDocs, securityScheme } from './api-docs.js'
import { operations } from './operations.js'
import { problemDetails } from './problem-details.js'
import { serviceLog } from './service-log.js'
import { tracedRequests } from './trace-context.js'

/** What one API has of its own. */
export interface ApiServiceOptions {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly api: NonNullable<ResourceServerOptions['api']>
  /** In bytes. */
  readonly bodyLimit: number
  /** The database schema that it owns, and the folder of the files that make it. */
  readonly schema: string
  readonly migrations: URL
}

/** A service with an API and a database. */
export interface ApiService {
  readonly app: FastifyInstance
  /** Is closed with the service, last. */
  readonly database: Database
  /** Adds routes that need a token. */
  readonly protect: (routes: (app: FastifyInstance) => Promise<void>) => Promise<void>
}

/** A service with everything but its routes. */
export async function createApiService(
  config: Listening & ProtectedBy & { readonly database: DatabaseConfig },
  { name, title, description, api, bodyLimit, schema, migrations }: ApiServiceOptions,
): Promise<ApiService> {
  const app = fastify({
    ...tracedRequests,
    logger: serviceLog(name, config.logLevel),
    trustProxy: config.trustProxy ?? false,
    bodyLimit,
    // A misspelt or unknown member is refused, never dropped or guessed.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  const database = await openMigrated(config.database, schema, migrations)
  // Hooks run last in, first out: whatever uses the database ends before it.
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
