import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Journal } from '../../live/journal.js'
import { cartCount } from '../cart.js'
import type { Backstage } from '../backstage.js'
import type { PaymentsApi } from '../payments-api.js'
import { isFromThisMachine } from '../loopback-only.js'
import { isOfOrder, showFlow, type FlowView } from '../show-flow.js'
import { loadCart } from './cart-cookie.js'

const params = Type.Object({ id: Type.String({ format: 'uuid' }) })

interface OrderRoutesOptions {
  readonly payments: PaymentsApi
  readonly backstage: Backstage | undefined
}

/** An order page. There are no accounts, so everybody who knows the address may see it. */
export const orderRoutes: FastifyPluginAsyncTypebox<OrderRoutesOptions> = async (
  app,
  { payments, backstage },
) => {
  app.get('/orders/:id', { schema: { params } }, async (request, reply) => {
    const payment = await payments.find(request.params.id)
    if (payment === undefined) return reply.callNotFound()
    const receiptState = payment.receipt?.status ?? 'none'
    reply.header('cache-control', 'no-store')
    // Without script, the page reloads itself; with script, it polls for the receipt.
    const shown = isFromThisMachine(request) ? backstage : undefined
    const isReceiptAwaited = receiptState === 'pending' && shown === undefined
    if (payment.status === 'processing' || isReceiptAwaited) reply.header('refresh', '3')
    return reply.view('order', {
      payment,
      receiptState,
      ...(shown && pictureOf(shown.journal, payment.paymentId)),
      cartCount: cartCount(loadCart(request)),
    })
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
      return reply.send(mediaType === 'text/html' ? withLinks(receipt.bytes, id) : receipt.bytes)
    })
}

/** Inserts the shop's links into the receipt's page, because the receipt service does not know the shop's address. */
function withLinks(page: Buffer, id: string): string {
  const links = `<nav aria-label="Shop"><a href="/orders/${id}">← Back to the order</a> <a href="/orders/${id}/receipt.pdf" download>PDF</a> <a href="/orders/${id}/receipt.json">JSON</a></nav>`
  return page.toString().replace('<!-- links of the shop -->', links)
}

/** Returns the requests of an order, or a note that they are no longer kept. */
function pictureOf(journal: Journal, order: string): FlowView & { readonly isFromBefore: boolean } {
  const own = journal.list(order).filter(exchange => isOfOrder(exchange, order))
  return { ...showFlow(journal, own), isFromBefore: !own.some(({ path }) => path === '/payments') }
}
