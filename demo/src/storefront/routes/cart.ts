import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { books } from '../../catalogue.js'
import { addToCart, cartCount, cartLines, cartTotal, mostOfOne, setQuantity } from '../cart.js'
import { loadCart, saveCart } from './cart-cookie.js'

const closed = { additionalProperties: false } as const
const sku = Type.Enum(books.map(book => book.sku))
const addition = Type.Object({ sku, next: Type.Optional(Type.Literal('checkout')) }, closed)
const change = Type.Object({ sku, quantity: Type.String({ pattern: '^\\d{1,2}$' }) }, closed)

/** The catalogue and the cart. */
export const cartRoutes: FastifyPluginAsyncTypebox = async app => {
  app.get('/', async (request, reply) =>
    reply.view('catalogue', { books, cartCount: cartCount(loadCart(request)) }),
  )

  app.get('/cart', async (request, reply) => {
    const cart = loadCart(request)
    const lines = cartLines(cart)
    return reply
      .header('cache-control', 'no-store')
      .view('cart', { lines, total: cartTotal(lines), mostOfOne, cartCount: cartCount(cart) })
  })

  app.post('/cart', { schema: { body: addition } }, async (request, reply) => {
    saveCart(reply, addToCart(loadCart(request), request.body.sku))
    return reply.redirect(request.body.next === 'checkout' ? '/checkout' : '/cart', 303)
  })

  app.post('/cart/quantity', { schema: { body: change } }, async (request, reply) => {
    const quantity = Number(request.body.quantity)
    saveCart(reply, setQuantity(loadCart(request), request.body.sku, quantity))
    return reply.redirect('/cart', 303)
  })
}
