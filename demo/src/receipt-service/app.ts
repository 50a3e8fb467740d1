import fastify, { type FastifyInstance } from 'fastify'
import resourceServer from 'fastify-resource-server'
import type { ReceiptConfig } from '../config.js'
import { openMigrated } from '../database/migrate.js'
import { apiDocs, securityScheme } from '../operations/api-docs.js'
import { health } from '../operations/health.js'
import { problemDetails } from '../operations/problem-details.js'
import { traceContext, tracedRequests } from '../operations/trace-context.js'
import { createReceipts } from './receipts.js'
import { startRenderer, type RenderLimits } from './render-pdf.js'
import { receiptRoutes } from './routes.js'

const scopes = {
  'receipts:read': 'Read receipts',
  'receipts:write': 'Issue receipts',
} as const

const usualLimits: RenderLimits = { threads: 1, maxQueue: 100, timeoutMs: 10_000, maxHeapMb: 256 }

/** The receipt service: turns paid orders into receipts, for clients that have a token for it. */
export async function buildReceiptService(config: ReceiptConfig): Promise<FastifyInstance> {
  const app = fastify({
    ...tracedRequests,
    logger: { level: config.logLevel, name: 'receipt-service' },
    // Room for everything the schema allows, and little more.
    bodyLimit: 128 * 1024,
    // A misspelt or unknown member is refused, never dropped or guessed.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  const migrations = new URL('../../src/receipt-service/migrations/', import.meta.url)
  const database = await openMigrated(config.database, 'receipts', migrations)
  app.addHook('onClose', () => database.close())
  const renderer = startRenderer({ ...usualLimits, ...config.render })
  // Hooks run last in, first out: the renderer ends what it started before the database goes.
  app.addHook('onClose', () => renderer.close())

  await app.register(traceContext)
  await app.register(problemDetails)
  await app.register(apiDocs, {
    title: 'Receipt service',
    description: 'Issues one receipt per payment and keeps it, as PDF, page and JSON.',
    protectedBy: config,
    scopes,
  })
  await app.register(health, { checks: { database: () => database.query('select 1') } })
  await app.register(async api => {
    await api.register(resourceServer, {
      issuer: config.issuer,
      audience: config.audience,
      ...config.verification,
      scopes: Object.keys(scopes),
      securityScheme,
    })
    await api.register(receiptRoutes, { receipts: createReceipts(database, renderer) })
  })
  return app
}
