import type { FastifyReply, FastifyRequest } from 'fastify'
import { readCart, writeCart, type Cart } from '../cart.js'

const name = 'cart'

/** Returns the cart of the request's signed cookie; empty if the cookie is missing or its signature is invalid. */
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
  // Not `secure`: only Chromium and Firefox would send such a cookie to http://127.0.0.1.
  reply.setCookie(name, writeCart(cart), { path: '/', httpOnly: true, sameSite: 'lax', signed: true })
}
