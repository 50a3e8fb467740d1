import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { books, currency } from '../catalogue.js'
import { PaymentRefused, paymentMethods, type PaymentsApi } from './payments-api.js'

const locale = 'en-IE'

/** Minor units → what people read. */
function price(minorUnits: number): string {
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(minorUnits / 100)
}

const orderForm = Type.Object(
  {
    sku: Type.Enum(books.map(book => book.sku)),
    email: Type.String({ format: 'email', maxLength: 254 }),
    method: Type.Enum(Object.keys(paymentMethods) as (keyof typeof paymentMethods)[]),
    order: Type.String({ format: 'uuid' }),
  },
  { additionalProperties: false },
)
const orderParams = Type.Object({ id: Type.String({ format: 'uuid' }) })

export const shopRoutes: FastifyPluginAsyncTypebox<{ payments: PaymentsApi }> = async (app, { payments }) => {
  app.get('/', async (_request, reply) =>
    reply.view('catalogue', { books, paymentMethods, price, newOrder: randomUUID }),
  )

  app.post(
    '/orders',
    { schema: { body: orderForm } },
    async ({ body: { sku, email, method, order } }, reply) => {
      try {
        const { paymentId } = await payments.pay(
          { items: [{ sku, quantity: 1 }], currency, locale },
          { email },
          method,
          order,
        )
        return await reply.redirect(`/orders/${paymentId}`, 303)
      } catch (error) {
        if (!(error instanceof PaymentRefused) || error.statusCode !== 402) throw error
        return reply.code(402).view('declined', { reason: error.message })
      }
    },
  )

  app.get('/orders/:id', { schema: { params: orderParams } }, async ({ params: { id } }, reply) => {
    const payment = await payments.find(id)
    if (payment === undefined) return reply.callNotFound()
    return reply.view('order', { payment, price })
  })

  app.get(
    '/orders/:id/receipt.pdf',
    { schema: { params: orderParams } },
    async ({ params: { id } }, reply) => {
      const receipt = await payments.receipt(id, 'application/pdf')
      if (receipt === undefined) return reply.callNotFound()
      return reply
        .type(receipt.type)
        .header('content-disposition', `attachment; filename="receipt-${id}.pdf"`)
        .send(receipt.bytes)
    },
  )

  app.get('/health', async () => ({ status: 'ok' }))
}
