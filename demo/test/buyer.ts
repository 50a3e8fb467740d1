import { randomUUID } from 'node:crypto'
import { books } from '#src/catalogue.js'
import { until } from './until.js'

/** A buyer with a book in the cart. */
export interface Buyer {
  /**
   * @param order the id of the form; sent twice, it makes one payment
   * @param changes fields that replace those of the form
   * @param cookies instead of the buyer's own
   */
  pay(method: string, order?: string, changes?: Record<string, string>, cookies?: string): Promise<Response>
}

/** Puts a book into a cart, as a browser without script does. */
export async function startBuying(url: string): Promise<Buyer> {
  const send = (path: string, fields: Record<string, string>, cookie: string): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams(fields),
    })
  const sku = books[0]?.sku ?? ''
  const chosen = await send('/cart', { sku, next: 'checkout' }, '')
  const cookie = chosen.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return {
    pay: (method, order = randomUUID(), changes = {}, cookies = cookie) =>
      send('/orders', { order, cart: `${sku}*1`, email: 'reader@example.com', method, ...changes }, cookies),
  }
}

/** Resolves to the order's page once it has the receipt, which may be issued after the first page load. */
export function pageWithReceipt(order: string): Promise<string> {
  return until(`the receipt of ${order}`, async () => {
    const page = await (await fetch(order)).text()
    return page.includes('Download the PDF') && page
  })
}
