import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { currency } from '../../catalogue.js'
import { cartCount, cartLines, cartTotal, readCart, writeCart, type Cart } from '../cart.js'
import { locale } from '../money.js'
import type { PaymentMethod } from '../../payments-api.js'
import { paymentMethods, type PaymentsApi } from '../payments-api.js'
import { loadCart, saveCart } from './cart-cookie.js'

const orderForm = Type.Object(
  {
    /** Whether it is one, the payment service decides, so that nobody is told two things. */
    email: Type.String({ minLength: 1, maxLength: 254 }),
    method: Type.Enum(Object.keys(paymentMethods) as PaymentMethod[]),
    /** Made when the form is shown and sent with it: pressing twice, or again after an outage, pays once. */
    order: Type.String({ format: 'uuid' }),
    /** The cart as the form showed it: nobody pays for what was put into it in another window. */
    cart: Type.String({ maxLength: 4096 }),
  },
  { additionalProperties: false },
)

/** Nobody pays more often; whoever tries cards does. */
const payLimit = { max: 60, timeWindow: 60_000 }

type Sent = Static<typeof orderForm>

/** What the form shows: fresh, or as it was sent. */
interface FormState extends Partial<Omit<Sent, 'cart'>> {
  readonly alert?: string
  readonly isEmailInvalid?: boolean
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

  // What was not paid is shown under this address; whoever loads it anew begins anew.
  app.get('/orders', async (_request, reply) => reply.redirect('/checkout', 303))

  app.post(
    '/orders',
    { schema: { body: orderForm }, config: { rateLimit: payLimit } },
    async (request, reply) => {
      const { email, method, order } = request.body
      const cart = loadCart(request)
      if (cart.size === 0 || writeCart(cart) !== request.body.cart) return resume(request, reply, cart)
      const items = [...cart].map(([sku, quantity]) => ({ sku, quantity }))
      try {
        const { status, body } = await payments.pay({ items, currency, locale }, { email }, method, order)
        if (status === 201) {
          saveCart(reply, new Map())
          return await reply.redirect(`/orders/${body.paymentId}`, 303)
        }
        if (status === 402)
          return await showForm(reply.code(402), cart, { email, method, alert: body.detail })
        if (status === 400) {
          const state = { email, method, order, alert: notAnAddress, isEmailInvalid: true }
          return await showForm(reply.code(400), cart, state)
        }
        if (status === 422 && body.paymentId !== undefined)
          return await showFirst(reply, cart, { email, method, paymentId: body.paymentId })
        request.log.error({ status, code: body.code }, 'payment not made')
      } catch (error) {
        request.log.error({ err: error }, 'payment not made')
      }
      return showUnreachable(reply, cart, { email, method, order })
    },
  )

  /**
   * The cart is not the one that the form shows. It may have been paid, changed in another window, or lost, say with the
   * cookie's secret. What was paid is found again by the form's key; nothing is charged here.
   */
  async function resume(
    request: FastifyRequest<{ Body: Sent }>,
    reply: FastifyReply,
    cart: Cart,
  ): Promise<FastifyReply> {
    const { email, method, order } = request.body
    const shown = readCart(request.body.cart)
    const chosen = cart.size > 0 ? cart : shown
    if (chosen.size === 0) return reply.redirect('/cart', 303)
    try {
      const first = await payments.findByKey(order)
      if (first !== undefined && first.status !== 'declined')
        return await reply.redirect(`/orders/${first.paymentId}`, 303)
      if (cart.size > 0)
        return await showForm(reply.code(409), cart, { email, method, order, alert: cartHasChanged })
      saveCart(reply, shown)
      const isKeyFree = first === undefined
      return await showForm(reply.code(409), shown, {
        email,
        method,
        ...(isKeyFree ? { order } : {}),
        alert: isKeyFree ? cartWasLost : firstWasDeclined,
      })
    } catch (error) {
      request.log.error({ err: error }, 'earlier payment not found')
      return showUnreachable(reply, chosen, { email, method, order })
    }
  }

  /** The form was sent before, with another address or card, and its payment exists: that one is the order, unless it was declined. */
  async function showFirst(
    reply: FastifyReply,
    cart: Cart,
    { email, method, paymentId }: Pick<Sent, 'email' | 'method'> & { readonly paymentId: string },
  ): Promise<FastifyReply> {
    const first = await payments.find(paymentId)
    if (first?.status === 'declined')
      return showForm(reply.code(409), cart, { email, method, alert: firstWasDeclined })
    const bought = new Map(first?.lines.map(({ sku, quantity }) => [sku, quantity]))
    if (writeCart(bought) === writeCart(cart)) saveCart(reply, new Map())
    return reply.redirect(`/orders/${paymentId}`, 303)
  }
}

function showUnreachable(reply: FastifyReply, cart: Cart, sent: Omit<Sent, 'cart'>): FastifyReply {
  return showForm(reply.code(503).header('retry-after', 2), cart, { ...sent, alert: unreachable })
}

const unreachable =
  'The payment service cannot be reached. Pay again in a moment: however often you do, you are charged once.'
/** All else in the form is chosen, not written. */
const notAnAddress = 'This is not a valid e-mail address; write it like reader@example.com.'
const cartHasChanged = 'Your cart has changed since this page was shown. This is what it contains now.'
const cartWasLost =
  'Your cart was lost or emptied since this page was shown. This is what you had chosen; nothing was charged. Pay again to buy it.'
const firstWasDeclined = 'An earlier try was declined, and nothing was charged. Pay again with this card.'

function showForm(
  reply: FastifyReply,
  cart: Cart,
  { alert, isEmailInvalid = false, ...sent }: FormState,
): FastifyReply {
  const lines = cartLines(cart)
  const form = { email: 'reader@example.com', method: 'test_visa', order: randomUUID(), ...sent }
  return reply.header('cache-control', 'no-store').view('checkout', {
    lines,
    total: cartTotal(lines),
    cartCount: cartCount(cart),
    paymentMethods,
    form,
    cart: writeCart(cart),
    alert,
    isEmailInvalid,
  })
}
