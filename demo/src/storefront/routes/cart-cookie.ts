import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCart, writeCart, type Cart } from '../cart.js'

const name = 'cart'

/** The cart in the request's signed cookie; an empty one when there is none, or when somebody else wrote it. */
export function loadCart(request: FastifyRequest): Cart {
  const signed = request.cookies[name]
  const unsigned = signed === undefined ? undefined : request.unsignCookie(signed)
  return readCart(unsigned?.valid === true ? unsigned.value : undefined)
}

export function saveCart(reply: FastifyReply, cart: Cart): void {
  if (cart.size === 0) {
    reply.clearCookie(name, { path: '/' })
    return
  }
  // Not `secure`: browsers other than Chromium and Firefox would not send it to http://127.0.0.1.
  reply.setCookie(name, writeCart(cart), { path: '/', httpOnly: true, sameSite: 'lax', signed: true })
}
