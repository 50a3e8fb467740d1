import { randomUUID } from 'node:crypto'
import t from 'tap'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'

/** Returns the alert of a page. */
function alertOf(page: string): string {
  return /role="alert">(.*?)<\/p>/.exec(page)?.[1]?.replaceAll(/<[^>]*>/g, '') ?? ''
}

/** Returns the id of the purchase in the form of a page. */
function orderIn(page: string): string {
  return /name="order" value="([^"]+)"/.exec(page)?.[1] ?? ''
}

t.test('unusual ways to pay', async t => {
  const { url, receipts } = await openShop(t)

  await t.test('submitting the form twice makes one order', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    const both = await Promise.all([buyer.pay('test_visa', order), buyer.pay('test_visa', order)])
    const [first, second] = both.map(({ headers }) => headers.get('location'))
    t.match(first, /^\/orders\//)
    t.equal(second, first)
  })

  await t.test(
    'a cart that was changed in another window is shown again, and nothing is charged',
    async t => {
      const buyer = await startBuying(url)
      const order = randomUUID()
      const changed = await buyer.pay('test_visa', order, { cart: 'B-1002*1' })
      t.equal(changed.status, 409)
      const page = await changed.text()
      t.equal(
        alertOf(page),
        'Not paid. Your cart has changed since this page was shown. The list shows what it contains now.',
      )
      t.equal(orderIn(page), order, 'the id of the purchase is the same')
      t.equal((await buyer.pay('test_visa', order)).status, 303)
    },
  )

  await t.test('paying a paid order again with another card shows the order', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    const paid = await buyer.pay('test_visa', order)
    const again = await buyer.pay('test_visa', order, { email: 'another@example.com' })
    t.equal(again.status, 303)
    t.equal(again.headers.get('location'), paid.headers.get('location'))
    t.match(again.headers.get('set-cookie'), /^cart=;/, 'the items of the cart are bought')
  })

  await t.test('after a decline, another card pays as a new purchase', async t => {
    const buyer = await startBuying(url)
    const order = randomUUID()
    t.equal((await buyer.pay('test_declined', order)).status, 402)
    const again = await buyer.pay('test_visa', order)
    t.equal(again.status, 409)
    const page = await again.text()
    t.equal(
      alertOf(page),
      'Not paid. An earlier attempt was declined, and nothing was charged. Pay again with this card.',
    )
    t.not(orderIn(page), order)
    t.equal((await buyer.pay('test_visa', orderIn(page))).status, 303)
  })

  await t.test('an invalid e-mail address is reported and can be corrected', async t => {
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
      t.match(page, `value="${email}"`, 'the entered address can be corrected')
      t.match(page, /aria-describedby="alert email-hint" aria-invalid="true" autofocus/)
      t.equal(orderIn(page), order)
    }
    t.equal((await buyer.pay('test_visa', order)).status, 303)
  })

  await t.test('reloading a page that says “not paid” shows the form', async t => {
    const { status, headers } = await fetch(`${url}/orders`, { redirect: 'manual' })
    t.strictSame([status, headers.get('location')], [303, '/checkout'])
  })

  await t.test(
    'a receipt of an unavailable receipt service is reported as temporarily unavailable',
    async t => {
      const buyer = await startBuying(url)
      const order = url + ((await buyer.pay('test_visa')).headers.get('location') ?? '')
      await pageWithReceipt(order)
      await receipts.close()
      for (const form of ['receipt', 'receipt.pdf', 'receipt.json']) {
        const answer = await fetch(`${order}/${form}`)
        t.equal(answer.status, 503)
        t.equal(answer.headers.get('retry-after'), '2')
        t.match(await answer.text(), 'Your payments are safe')
      }
    },
  )
})
