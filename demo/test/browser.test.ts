import type { BrowserContextOptions } from 'playwright-core'
import t from 'tap'
import { accessibilityProblems, launch, needsChromium, openPage, takePicture } from './browser.js'
import { openShop } from './open-shop.js'

const devices: readonly (readonly [string, BrowserContextOptions])[] = [
  ['desktop', { viewport: { width: 1280, height: 900 } }],
  ['desktop, dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
  ['desktop, no script', { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false }],
  ['phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ['phone, no script', { viewport: { width: 390, height: 844 }, isMobile: true, javaScriptEnabled: false }],
]

t.test('the shop in a real browser', needsChromium, async t => {
  t.setTimeout(220_000)
  const shop = await openShop(t)
  const browser = await launch()
  t.teardown(() => browser.close())

  for (const [name, device] of devices)
    await t.test(`${name}: buys, is declined, reads the receipt`, async t => {
      const page = await openPage(t, { browser, url: shop.url }, device)
      const picture = (what: string): Promise<void> =>
        takePicture(page, `${name} ${what}`.replaceAll(/\W+/g, '-'))
      const isFit = async (what: string): Promise<void> => {
        await picture(what)
        const tooWide = await page.evaluate(() => {
          const { scrollWidth, clientWidth } = (
            globalThis as unknown as {
              document: { documentElement: { scrollWidth: number; clientWidth: number } }
            }
          ).document.documentElement
          return scrollWidth - clientWidth
        })
        t.equal(tooWide, 0, `${what} fits the screen`)
        if (device.javaScriptEnabled !== false)
          t.strictSame(await accessibilityProblems(page), [], `axe-core finds nothing: ${what}`)
      }

      await page.goto(shop.url)
      await isFit('books')
      await page.getByRole('button', { name: 'Add to cart: Clockwork for Beginners' }).click()
      await isFit('cart')
      await page.getByRole('spinbutton').fill('2')
      await page.getByRole('button', { name: 'Change the number' }).click()
      await page.getByText('€37.90').first().waitFor()
      await page.getByRole('link', { name: 'Check out' }).click()
      await isFit('checkout')

      await page.getByLabel('Test card that is declined').check()
      await page.getByRole('button', { name: 'Pay €37.90' }).click()
      await page.getByRole('alert').waitFor()
      t.match(await page.getByRole('alert').textContent(), 'declined')
      await isFit('declined')
      await page.getByLabel('Test card that pays').check()
      await page.getByRole('button', { name: 'Pay €37.90' }).click()

      await page.getByRole('heading', { name: 'Thank you' }).waitFor()
      await page.getByRole('link', { name: 'Download the PDF' }).waitFor()
      await isFit('order')
      const pdf = await page.request.get(`${page.url()}/receipt.pdf`)
      t.equal((await pdf.body()).subarray(0, 5).toString(), '%PDF-')
      t.match(pdf.headers()['content-disposition'], /^attachment; filename="receipt-HQ-\d{4}-\d{6}\.pdf"$/)

      const line = page.locator('.exchange', { hasText: 'PUT /receipts' })
      await line.locator('summary').click()
      await line.getByText('aud is https://receipts.bookstore.example').waitFor()
      await isFit('order with its token')
      await page.getByRole('link', { name: 'Read it as a page' }).click()
      await page.getByText('Clockwork for Beginners').waitFor()
      await isFit('receipt')
      t.match(await page.title(), 'Halyard & Quill')
      t.match(await page.locator('html').getAttribute('lang'), 'en')
    })

  await t.test('by keyboard: two presses from the shelf to the receipt', async t => {
    const page = await openPage(t, { browser, url: shop.url }, { viewport: { width: 1280, height: 900 } })
    await page.goto(shop.url)
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').textContent(), 'Skip to the content')
    await page.keyboard.press('Enter')
    // After the skip link nothing has the focus; the next press goes on from the content.
    const focused = async (): Promise<string | null> =>
      (await page.locator(':focus').all())[0]?.getAttribute('aria-label') ?? null
    for (let press = 0; press < 5 && (await focused()) !== 'Buy now: The Lighthouse Ledger'; press += 1)
      await page.keyboard.press('Tab')
    t.equal(await focused(), 'Buy now: The Lighthouse Ledger')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Pay €21.90' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Thank you' }).waitFor()
  })
})
