import type { FastifyInstance } from 'fastify'
import type { ReceiptConfig } from '../config.js'
import { createApiService } from '../operations/api-service.js'
import { receiptsApi } from '../receipts-api.js'
import { createReceipts } from './receipts.js'
import { startRenderer, type RenderLimits } from './render-pdf.js'
import { receiptRoutes } from './routes.js'

const usualLimits: RenderLimits = { threads: 1, maxQueue: 100, timeoutMs: 10_000, maxHeapMb: 256 }

/** Builds the receipt service, which issues receipts for paid orders to clients with a token. */
export async function buildReceiptService(config: ReceiptConfig): Promise<FastifyInstance> {
  const { app, database, protect } = await createApiService(config, {
    name: 'receipt-service',
    title: 'Receipt service',
    description: 'Issues one receipt per payment and keeps it, as PDF, page and JSON.',
    api: receiptsApi,
    // Slightly more than the largest body that the schema allows.
    bodyLimit: 128 * 1024,
    schema: 'receipts',
    migrations: new URL('../../src/receipt-service/migrations/', import.meta.url),
  })
  const renderer = startRenderer({ ...usualLimits, ...config.render })
  // `onClose` hooks run in reverse order: the renderer finishes before the database closes.
  app.addHook('onClose', () => renderer.close())

  await protect(async api => {
    await api.register(receiptRoutes, { receipts: createReceipts(database, renderer) })
  })
  return app
}
