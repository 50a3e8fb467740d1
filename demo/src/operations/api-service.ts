import fastify, { type FastifyInstance } from 'fastify'
import type { Listening, ProtectedBy } from '../config.js'
import type { Database, DatabaseConfig } from '../database/database.js'
import { openMigrated } from '../database/migrate.js'
import { apiDocs } from './api-docs.js'
import { operations } from './operations.js'
import { problemDetails } from './problem-details.js'
import { serviceLog } from './service-log.js'
import { tracedRequests } from './trace-context.js'

/** What one API has of its own. */
export interface ApiServiceOptions {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Each scope with what it allows. */
  readonly scopes: Readonly<Record<string, string>>
  /** In bytes. */
  readonly bodyLimit: number
  /** The database schema that it owns, and the folder of the files that make it. */
  readonly schema: string
  readonly migrations: URL
}

/** A service with an API and a database, with everything but its routes. The database is closed with it, last. */
export async function createApiService(
  config: Listening & ProtectedBy & { readonly database: DatabaseConfig },
  { name, title, description, scopes, bodyLimit, schema, migrations }: ApiServiceOptions,
): Promise<{ app: FastifyInstance; database: Database }> {
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
  await app.register(apiDocs, { title, description, protectedBy: config, scopes })
  return { app, database }
}
