import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { cartCount } from '../cart.js'
import type { PaymentsApi } from '../payments-api.js'
import { loadCart } from './cart-cookie.js'

const params = Type.Object({ id: Type.String({ format: 'uuid' }) })

/** An order as its buyer sees it; whoever has the address is the buyer, since there are no accounts. */
export const orderRoutes: FastifyPluginAsyncTypebox<{ payments: PaymentsApi }> = async (
  app,
  { payments },
) => {
  app.get('/orders/:id', { schema: { params } }, async (request, reply) => {
    const payment = await payments.find(request.params.id)
    if (payment === undefined) return reply.callNotFound()
    reply.header('cache-control', 'no-store')
    return reply.view('order', {
      payment,
      receiptState: payment.receipt?.status ?? 'none',
      cartCount: cartCount(loadCart(request)),
    })
  })

  /** For the page's script: where the order stands. */
  app.get('/orders/:id/state', { schema: { params }, logLevel: 'warn' }, async (request, reply) => {
    const payment = await payments.find(request.params.id)
    if (payment === undefined) return reply.code(404).send({ status: 'unknown' })
    return reply
      .header('cache-control', 'no-store')
      .send({ status: payment.status, receipt: payment.receipt?.status ?? 'none' })
  })

  for (const [name, mediaType] of [
    ['receipt.pdf', 'application/pdf'],
    ['receipt', 'text/html'],
    ['receipt.json', 'application/json'],
  ] as const)
    app.get(`/orders/:id/${name}`, { schema: { params } }, async (request, reply) => {
      const { id } = request.params
      const receipt = await payments.receipt(id, mediaType)
      if (receipt === undefined) return reply.callNotFound()
      reply.headers(receipt.headers)
      if (mediaType === 'application/pdf')
        reply.header(
          'content-disposition',
          `attachment; filename="${receipt.fileName ?? `receipt-${id}.pdf`}"`,
        )
      return reply.send(receipt.bytes)
    })
}
