import fastify, { type FastifyInstance } from 'fastify'
import { answer } from 'fastify-api-contract'
import resourceServer from 'fastify-resource-server'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import type { Test } from 'tap'
import { receiptsApi, type Receipt } from './receipts-api.js'

export interface Bench {
  readonly app: FastifyInstance
  readonly issuer: TestIssuer
  readonly url: string
  /** The log entries of the application. */
  readonly logged: Record<string, unknown>[]
  readonly receipts: Map<string, Receipt>
}

/** Starts the receipt service with all operations, protected, on 127.0.0.1. */
export async function startReceipts(t: Test): Promise<Bench> {
  const { audience, scopes } = receiptsApi
  const issuer = await createTestIssuer({
    audience,
    clients: [{ clientId: 'payment', clientSecret: 'only here', audience, scopes: Object.keys(scopes) }],
  })
  const logged: Record<string, unknown>[] = []
  const app = fastify({
    logger: {
      level: 'error',
      stream: { write: line => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })
  t.teardown(async () => {
    await app.close()
    await issuer.close()
  })
  await app.register(resourceServer, { issuer: issuer.url, api: receiptsApi })
  const receipts = new Map<string, Receipt>()
  app.route(
    receiptsApi.route('putReceipt', async ({ params, body }) => {
      if (body.title === 'later') return answer(503, { title: 'Busy' }, { 'retry-after': '7' })
      if (receipts.has(params.paymentId)) return answer(409, { title: 'There is one' })
      const receipt = {
        number: body.title === 'wrong' ? 'X-1' : 'R-1',
        cents: body.cents,
        hidden: 'not in the schema',
      }
      receipts.set(params.paymentId, receipt)
      return answer(201, receipt, { location: `/receipts/${encodeURIComponent(params.paymentId)}` })
    }),
  )
  app.route(
    receiptsApi.route('getReceipt', ({ params }) => {
      const receipt = receipts.get(params.paymentId)
      return receipt === undefined ? answer(404, { title: params.paymentId }) : answer(200, receipt)
    }),
  )
  app.route(
    receiptsApi.route('listReceipts', ({ query: { page = 0, tag = [] } }) =>
      answer(200, { page, tags: tag }),
    ),
  )
  app.route(
    receiptsApi.route('deleteReceipt', async ({ params }) => {
      receipts.delete(params.paymentId)
      return answer(204)
    }),
  )
  app.route(receiptsApi.route('status', async ({ auth }) => answer(200, auth === null ? 'up' : null)))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, issuer, url, logged, receipts }
}
