import { writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { books, currency } from './catalogue.js'
import { openBookstore } from './bookstore.js'
import type { DemoConfig } from './config.js'
import { sayStep, sayThing } from './terminal.js'
import { watchTokens } from './token-flow.js'

/** Maximum time until the receipt exists, in milliseconds. */
const patienceMs = 60_000

/**
 * Starts the shop, buys one book as a browser would, and saves the receipt.
 * @throws {Error} naming the step that failed
 */
export async function buyOneBook(
  config: DemoConfig,
  databaseReady: Promise<void>,
  out: string | undefined,
): Promise<void> {
  const stopWatching = watchTokens(sayStep)
  const shop = await openBookstore(config, databaseReady)
  try {
    const storefront = `http://${config.storefront.host}:${config.storefront.port}`
    const [book] = books
    if (book === undefined) throw new Error('the catalogue is empty')
    sayThing(`Buying “${book.title}” for ${(book.price / 100).toFixed(2)} ${currency}`)
    const order = await orderBook(storefront, book.sku)
    const receipt = await fetchReceipt(order)
    if (out !== undefined) await writeFile(out, receipt)
    sayThing(
      `Paid, and the receipt is here: ${receipt.length} bytes of PDF${out === undefined ? '' : `, in ${out}`}`,
    )
  } finally {
    await shop.close()
    stopWatching()
  }
}

/** Presses “Buy now” and submits the form, as a browser does; resolves to the URL of the order. */
async function orderBook(storefront: string, sku: string): Promise<string> {
  const send = (path: string, fields: Record<string, string>, cookie = ''): Promise<Response> =>
    fetch(storefront + path, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    })
  const chosen = await send('/cart', { sku, next: 'checkout' })
  const cookie = chosen.headers.getSetCookie()[0]?.split(';')[0]
  const form = await (await fetch(`${storefront}/checkout`, { headers: { cookie: cookie ?? '' } })).text()
  const [, order, cart] = /name="order" value="([^"]+)".*name="cart" value="([^"]+)"/.exec(form) ?? []
  if (order === undefined || cart === undefined) throw new Error('the shop does not offer the book')
  const fields = { order, cart, email: 'reader@example.com', method: 'test_visa' }
  const answer = await send('/orders', fields, cookie)
  const location = answer.headers.get('location')
  if (answer.status !== 303 || location === null)
    throw new Error(`the shop answered the order with ${answer.status}`)
  return storefront + location
}

async function fetchReceipt(order: string): Promise<Buffer> {
  const giveUpAt = Date.now() + patienceMs
  while (Date.now() < giveUpAt) {
    const answer = await fetch(`${order}/receipt.pdf`)
    const body = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 200 && body.subarray(0, 5).toString() === '%PDF-') return body
    if (answer.status !== 404)
      throw new Error(`the shop answered the request for the receipt with ${answer.status}`)
    await wait(50)
  }
  throw new Error(`there is no receipt after ${patienceMs / 1000} seconds`)
}
