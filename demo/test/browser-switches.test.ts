import type { Page } from 'playwright-core'
import t from 'tap'
import { switches } from '#src/faults/switches.js'
import { accessibilityProblems, launch, needsChromium, openPage, takePicture } from './browser.js'
import { openShop } from './open-shop.js'

/** What the page gives as the cause, for whoever broke it. */
const whys: ReadonlyMap<string, RegExp> = new Map([
  ['wrong-audience', /receipt service refuses: “Is it meant for this service\?” No/],
  ['missing-scope', /receipt service refuses: “Does it allow this request\?” No/],
  ['expired-token', /receipt service refuses: “Is it still valid\?” No/],
  ['wrong-secret', /asks for an access token\. The issuer says no/],
  ['receipts-down', /Nobody answers/],
  ['slow-receipts', /has not answered yet/],
])

t.test('the switches in a real browser', needsChromium, async t => {
  t.setTimeout(220_000)
  const shop = await openShop(t)
  const browser = await launch()
  t.teardown(() => browser.close())

  /** Follows the trial's order to its receipt: on a slow machine it comes some moments after the page. */
  async function hasReceipt(page: Page, after: string): Promise<void> {
    const href = await page.getByRole('link', { name: 'Its order' }).getAttribute('href')
    const order = await page.context().newPage()
    await order.goto(new URL(href ?? '', shop.url).href)
    await order.getByRole('link', { name: 'Download the PDF' }).waitFor()
    t.pass(`${after}: the receipt is there`)
    await order.close()
  }

  await t.test('breaks and heals everything there is a switch for, while watching', async t => {
    const page = await openPage(t, { browser, url: shop.url }, { viewport: { width: 1440, height: 1000 } })
    const watching = await openPage(
      t,
      { browser, url: shop.url },
      { viewport: { width: 390, height: 844 }, isMobile: true },
    )
    await page.goto(`${shop.url}/live`)
    await watching.goto(`${shop.url}/live`)
    t.strictSame(await accessibilityProblems(page), [], 'axe-core finds nothing')
    const effect = page.getByRole('status')
    for (const { name, title, heal } of switches) {
      const seen = await watching.locator('.exchange').last().getAttribute('id')
      await page
        .getByRole('button', { name: `${heal === undefined ? 'Do it' : 'Break'}: ${title}`, exact: true })
        .click()
      await effect.getByText(`${title}. A book`).waitFor()
      const said = (await effect.textContent()) ?? ''
      await takePicture(page, `broken-${name}`)
      if (heal === undefined || name === 'issuer-down') await hasReceipt(page, title)
      else {
        t.match(said, /and the receipt waits/, title)
        t.match(said, whys.get(name), `${title} says why`)
      }
      // The other window is told without being touched.
      await watching.locator(`.exchange:last-child:not(#${seen})`).waitFor()
      if (heal === undefined) continue
      await page.getByRole('button', { name: `Heal: ${title}`, exact: true }).click()
      await effect.getByText(`${title}, healed. A book`).waitFor()
      await hasReceipt(page, `${title}, healed`)
    }
    t.strictSame(await accessibilityProblems(page), [], 'axe-core finds nothing afterwards')
    t.strictSame(await accessibilityProblems(watching), [], 'nor on a phone')
  })

  await t.test('an order whose receipt waits shows it by itself when it comes', async t => {
    const page = await openPage(
      t,
      { browser, url: shop.url },
      { viewport: { width: 390, height: 844 }, javaScriptEnabled: false },
    )
    await page.goto(`${shop.url}/live`)
    await page.getByRole('button', { name: 'Break: Receipt service down' }).click()
    const other = await openPage(
      t,
      { browser, url: shop.url },
      { viewport: { width: 390, height: 844 }, javaScriptEnabled: false },
    )
    await other.goto(shop.url)
    await other.getByRole('button', { name: 'Buy now: The Lighthouse Ledger' }).click()
    await other.getByRole('button', { name: 'Pay €21.90' }).click()
    await other.getByText('Your receipt is being made').waitFor()
    await takePicture(other, 'receipt-waits')
    await page.getByRole('button', { name: 'Heal: Receipt service down' }).click()
    await other.getByRole('link', { name: 'Download the PDF' }).waitFor()
    t.match(await other.locator('.steps').textContent(), /Receipt HQ-\d{4}-\d{6}/)
  })
})
