import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type, type Static } from 'typebox'
import { currency } from '../../catalogue.js'
import { cartCount, cartLines, cartTotal, type Cart } from '../cart.js'
import { locale } from '../money.js'
import { paymentMethods, PaymentRefused, type PaymentMethod, type PaymentsApi } from '../payments-api.js'
import { loadCart, saveCart } from './cart-cookie.js'

const orderForm = Type.Object(
  {
    email: Type.String({ format: 'email', maxLength: 254 }),
    method: Type.Enum(Object.keys(paymentMethods) as PaymentMethod[]),
    /** Made when the form is shown and sent with it: pressing twice, or again after an outage, pays once. */
    order: Type.String({ format: 'uuid' }),
  },
  { additionalProperties: false },
)

/** Nobody pays more often; whoever tries cards does. */
const payLimit = { max: 60, timeWindow: 60_000 }

/** What the form shows: fresh, or as it was sent. */
interface FormState extends Partial<Static<typeof orderForm>> {
  readonly alert?: string
}

/** Pay what is in the cart. */
export const checkoutRoutes: FastifyPluginAsyncTypebox<{ payments: PaymentsApi }> = async (
  app,
  { payments },
) => {
  app.get('/checkout', async (request, reply) => {
    const cart = loadCart(request)
    if (cart.size === 0) return reply.redirect('/cart', 303)
    return showForm(reply, cart, {})
  })

  app.post(
    '/orders',
    { schema: { body: orderForm }, config: { rateLimit: payLimit } },
    async (request, reply) => {
      const { email, method, order } = request.body
      const cart = loadCart(request)
      if (cart.size === 0) return reply.redirect('/cart', 303)
      const items = [...cart].map(([sku, quantity]) => ({ sku, quantity }))
      try {
        const { paymentId } = await payments.pay({ items, currency, locale }, { email }, method, order)
        saveCart(reply, new Map())
        return await reply.redirect(`/orders/${paymentId}`, 303)
      } catch (error) {
        if (error instanceof PaymentRefused && error.statusCode === 402)
          return showForm(reply.code(402), cart, { email, method, alert: error.message })
        request.log.error({ err: error }, 'payment not made')
        return showForm(reply.code(503).header('retry-after', 2), cart, {
          email,
          method,
          order,
          alert:
            'The payment service cannot be reached. Pay again in a moment: however often you do, you are charged once.',
        })
      }
    },
  )
}

function showForm(reply: FastifyReply, cart: Cart, { alert, ...sent }: FormState): FastifyReply {
  const lines = cartLines(cart)
  const form = { email: 'reader@example.com', method: 'test_visa', order: randomUUID(), ...sent }
  return reply.header('cache-control', 'no-store').view('checkout', {
    lines,
    total: cartTotal(lines),
    cartCount: cartCount(cart),
    paymentMethods,
    form,
    alert,
  })
}
