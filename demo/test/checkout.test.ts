import { randomUUID } from 'node:crypto'
import t from 'tap'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'

/** What a page says aloud. */
function alertOf(page: string): string {
  return /role="alert">(.*?)<\/p>/.exec(page)?.[1]?.replaceAll(/<[^>]*>/g, '') ?? ''
}

/** The id of the purchase that a page's form would make. */
function orderIn(page: string): string {
  return /name="order" value="([^"]+)"/.exec(page)?.[1] ?? ''
}

t.test('whoever pays in an unusual way', async t => {
  const { url, receipts } = await openShop(t)

  await t.test('presses twice: one order', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    const both = await Promise.all([buyer.pay('test_visa', order), buyer.pay('test_visa', order)])
    const [first, second] = both.map(({ headers }) => headers.get('location'))
    t.match(first, /^\/orders\//)
    t.equal(second, first)
  })

  await t.test('changed the cart in another window: is shown what it is now, and not charged', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    const changed = await buyer.pay('test_visa', order, { cart: 'B-1002*1' })
    t.equal(changed.status, 409)
    const page = await changed.text()
    t.equal(
      alertOf(page),
      'Not paid. Your cart has changed since this page was shown. This is what it contains now.',
    )
    t.equal(orderIn(page), order, 'and it is still the same purchase')
    t.equal((await buyer.pay('test_visa', order)).status, 303)
  })

  await t.test('goes back and pays with another card: sees the order that is paid', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    const paid = await buyer.pay('test_visa', order)
    const again = await buyer.pay('test_visa', order, { email: 'another@example.com' })
    t.equal(again.status, 303)
    t.equal(again.headers.get('location'), paid.headers.get('location'))
    t.match(again.headers.get('set-cookie'), /^cart=;/, 'what was in the cart is bought')
  })

  await t.test('goes back after a decline and takes another card: may pay, as a new purchase', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    t.equal((await buyer.pay('test_declined', order)).status, 402)
    const again = await buyer.pay('test_visa', order)
    t.equal(again.status, 409)
    const page = await again.text()
    t.equal(
      alertOf(page),
      'Not paid. An earlier try was declined, and nothing was charged. Pay again with this card.',
    )
    t.not(orderIn(page), order)
    t.equal((await buyer.pay('test_visa', orderIn(page))).status, 303)
  })

  await t.test('mistypes the address: is told, and pays with the right one', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    for (const email of ['reader@example', 'reader', '@', 'a b@example.com']) {
      const mistyped = await buyer.pay('test_visa', order, { email })
      t.equal(mistyped.status, 400)
      const page = await mistyped.text()
      t.equal(
        alertOf(page),
        'Not paid. This is not a valid e-mail address; write it like reader@example.com.',
      )
      t.match(page, `value="${email}"`, 'what was written can be mended')
      t.match(page, /aria-describedby="alert email-hint" aria-invalid="true" autofocus/)
      t.equal(orderIn(page), order)
    }
    t.equal((await buyer.pay('test_visa', order)).status, 303)
  })

  await t.test('loads a page anew that says “not paid”: is back at the form', async t => {
    const { status, headers } = await fetch(`${url}/orders`, { redirect: 'manual' })
    t.strictSame([status, headers.get('location')], [303, '/checkout'])
  })

  await t.test('wants the receipt while the service that has it is away: is told, and no lie', async t => {
    const buyer = await startBuying(url)
    const order = url + ((await buyer.pay('test_visa')).headers.get('location') ?? '')
    await pageWithReceipt(order)
    await receipts.close()
    for (const form of ['receipt', 'receipt.pdf', 'receipt.json']) {
      const answer = await fetch(`${order}/${form}`)
      t.equal(answer.status, 503)
      t.equal(answer.headers.get('retry-after'), '2')
      t.match(await answer.text(), 'What you have paid stays paid')
    }
  })
})
