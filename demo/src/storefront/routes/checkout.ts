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
    /** The payment service validates the address, so that there is only one rule. */
    email: Type.String({ minLength: 1, maxLength: 254 }),
    method: Type.Enum(Object.keys(paymentMethods) as PaymentMethod[]),
    /** Idempotency key, generated with the form. Submitting the form twice pays once. */
    order: Type.String({ format: 'uuid' }),
    /** The cart that the form shows. A buyer does not pay for books that were added in another window. */
    cart: Type.String({ maxLength: 4096 }),
  },
  { additionalProperties: false },
)

/** Limits attempts to test stolen cards; buyers pay less often. */
const payLimit = { max: 60, timeWindow: 60_000 }

type Sent = Static<typeof orderForm>

/** The content of the form: new, or as it was submitted. */
interface FormState extends Partial<Omit<Sent, 'cart'>> {
  readonly alert?: string
  readonly isEmailInvalid?: boolean
}

/** The checkout. */
export const checkoutRoutes: FastifyPluginAsyncTypebox<{ payments: PaymentsApi }> = async (
  app,
  { payments },
) => {
  app.get('/checkout', async (request, reply) => {
    const cart = loadCart(request)
    if (cart.size === 0) return reply.redirect('/cart', 303)
    return showForm(reply, cart, {})
  })

  // A failed payment shows its form at this address; reloading it shows a new form.
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
   * Handles a form whose cart differs from the cookie: it was paid, changed in another window, or lost. An earlier
   * payment is found by the form's key; nothing is charged here.
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

  /**
   * Handles a form that was submitted before with another address or card. Its payment is shown, unless it was
   * declined.
   */
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
  'The payment service cannot be reached. Pay again in a moment. You will only be charged once.'
/** The address is the only free text in the form. */
const notAnAddress = 'This is not a valid e-mail address; write it like reader@example.com.'
const cartHasChanged = 'Your cart has changed since this page was shown. The list shows what it contains now.'
const cartWasLost =
  'Your cart is empty now: you may have bought these books in another window. This form has charged nothing. Pay only if you still want to buy them.'
const firstWasDeclined = 'An earlier attempt was declined, and nothing was charged. Pay again with this card.'

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
