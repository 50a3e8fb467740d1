import t from 'tap'
import { switches } from '#src/faults/switches.js'
import { accessibilityProblems, launch, needsChromium, openPage, takePicture } from './browser.js'
import { openShop } from './open-shop.js'

t.test('the switches in a real browser', needsChromium, async t => {
  t.setTimeout(220_000)
  const shop = await openShop(t)
  const browser = await launch()
  t.teardown(() => browser.close())

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
      t.match(
        said,
        heal === undefined || name === 'issuer-down' ? /and the receipt is there/ : /and the receipt waits/,
        title,
      )
      // The other window is told without being touched.
      await watching.locator(`.exchange:last-child:not(#${seen})`).waitFor()
      if (heal === undefined) continue
      await page.getByRole('button', { name: `Heal: ${title}`, exact: true }).click()
      await effect.getByText(`${title}, healed. A book`).waitFor()
      t.match(await effect.textContent(), 'and the receipt is there', `${title} heals`)
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
