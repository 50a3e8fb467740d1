import { findBook, type Book } from '../catalogue.js'

/** The number of copies of each book. */
export type Cart = ReadonlyMap<string, number>

/** One book of a cart, with the price that the payment service charges. */
export interface CartLine {
  readonly book: Book
  readonly quantity: number
  /** In minor units, VAT included. */
  readonly total: number
}

/** The payment service's limit for one book. */
export const mostOfOne = 99

/** Parses a cart such as `B-1001*2.S-2001*1`. Books that the shop no longer sells are left out. */
export function readCart(text: string | undefined): Cart {
  const cart = new Map<string, number>()
  for (const entry of (text ?? '').split('.')) {
    const [sku = '', quantity = ''] = entry.split('*')
    if (findBook(sku) !== undefined) cart.set(sku, clamp(Number(quantity)))
  }
  return withoutNone(cart)
}

/** Returns the cart as text for a cookie. */
export function writeCart(cart: Cart): string {
  return [...cart].map(([sku, quantity]) => `${sku}*${quantity}`).join('.')
}

/** Returns the cart with more copies of a book. */
export function addToCart(cart: Cart, sku: string, quantity = 1): Cart {
  return setQuantity(cart, sku, (cart.get(sku) ?? 0) + quantity)
}

/** Returns the cart with this number of copies; zero removes the book. */
export function setQuantity(cart: Cart, sku: string, quantity: number): Cart {
  return withoutNone(new Map(cart).set(sku, clamp(quantity)))
}

export function cartLines(cart: Cart): CartLine[] {
  return [...cart].flatMap(([sku, quantity]) => {
    const book = findBook(sku)
    return book === undefined ? [] : [{ book, quantity, total: book.price * quantity }]
  })
}

export function cartTotal(lines: readonly CartLine[]): number {
  return lines.reduce((sum, { total }) => sum + total, 0)
}

export function cartCount(cart: Cart): number {
  return [...cart.values()].reduce((sum, quantity) => sum + quantity, 0)
}

function clamp(quantity: number): number {
  return Number.isInteger(quantity) ? Math.min(Math.max(quantity, 0), mostOfOne) : 0
}

function withoutNone(cart: Map<string, number>): Cart {
  for (const [sku, quantity] of cart) if (quantity === 0) cart.delete(sku)
  return cart
}
