import t from 'tap'
import { browserPatienceMs, devices, launch, needsChromium, openPage, takePicture } from './browser.js'
import { openShop } from './open-shop.js'

t.setTimeout(browserPatienceMs)

t.test('buying in a real browser', needsChromium, async t => {
  t.setTimeout(browserPatienceMs)
  const shop = await openShop(t)
  const browser = await launch(t)

  // The layout depends on the device and not on scripts, so two of the four combinations are enough.
  for (const [device, javaScriptEnabled] of [
    ['desktop', true],
    ['phone', false],
  ] as const) {
    const how = `${device}, ${javaScriptEnabled ? 'with' : 'without'} script`
    await t.test(`${how}: a declined card, a purchase and its receipt`, async t => {
      const page = await openPage(t, { browser, url: shop.url }, { ...devices[device], javaScriptEnabled })
      await page.goto(shop.url)
      await page.getByRole('button', { name: 'Add to cart: Clockwork for Beginners' }).click()
      await page.getByRole('spinbutton').fill('2')
      await page.getByRole('button', { name: 'Change the number' }).click()
      await page.getByText('€37.90').first().waitFor()
      await page.getByRole('link', { name: 'Check out' }).click()

      await page.getByLabel('Test card that is declined').check()
      await page.getByRole('button', { name: 'Pay €37.90' }).click()
      await page.getByRole('alert').waitFor()
      t.match(
        await page.getByRole('alert').innerText(),
        'Not paid. The card was declined. Nothing was charged',
      )
      await takePicture(page, `${how}: declined`)
      await page.getByLabel('Test card without funds').check()
      await page.getByRole('button', { name: 'Pay €37.90' }).click()
      await page.getByRole('alert').getByText('funds').waitFor()
      await page.getByLabel('Test card that pays').check()
      await page.getByRole('button', { name: 'Pay €37.90' }).click()

      await page.getByRole('heading', { name: 'Thank you' }).waitFor()
      t.match(await page.locator('main').innerText(), 'You paid €37.90 for these items')
      await page.getByRole('link', { name: 'Download the PDF' }).waitFor()
      await takePicture(page, `${how}: bought`)
      const pdf = await page.request.get(`${page.url()}/receipt.pdf`)
      t.equal((await pdf.body()).subarray(0, 5).toString(), '%PDF-')
      t.match(pdf.headers()['content-disposition'], /^attachment; filename="receipt-HQ-\d{4}-\d{6}\.pdf"$/)

      const line = page.locator('.exchange.good', { hasText: 'PUT /receipts' })
      await line.locator('summary').click()
      t.match(await line.innerText(), 'aud "https://receipts.bookstore.example"', 'the token, checked')
      await page.getByRole('link', { name: 'View online' }).click()
      await page.getByRole('heading', { name: /^Receipt HQ-\d{4}-\d{6}$/ }).waitFor()
      t.match(await page.locator('main').innerText(), /Clockwork for Beginners[^]*2\s+€18\.95\s+7%\s+€37\.90/)
      t.match(await page.title(), 'Halyard & Quill')
      t.match(await page.locator('html').getAttribute('lang'), 'en')
    })
  }

  const flip = (name: string, wanted: string): Promise<Response> =>
    fetch(`${shop.url}/live/switches`, { method: 'POST', body: new URLSearchParams({ name, wanted }) })
  for (const javaScriptEnabled of [true, false])
    await t.test(
      `shows a late receipt without a manual reload, ${javaScriptEnabled ? 'with' : 'without'} script`,
      async t => {
        const broken = await (await flip('receipts-down', 'break')).text()
        const page = await openPage(t, { browser, url: shop.url }, { ...devices.phone, javaScriptEnabled })
        await page.goto(shop.url + (/"(\/orders\/[^"]+)">Its order/.exec(broken)?.[1] ?? ''))
        await page.getByText('Your receipt is being made').waitFor()
        const line = page.locator('.exchange', { hasText: 'POST /payments' })
        if (javaScriptEnabled) await line.locator('summary').click()
        await flip('receipts-down', 'heal')
        await page.getByRole('link', { name: 'Download the PDF' }).waitFor()
        t.equal(await page.getByText('Your receipt is being made').count(), 0, 'the page updates itself')
        if (javaScriptEnabled) t.ok(await line.locator('.story').isVisible(), 'an open line stays open')
      },
    )

  await t.test('buys a book with the keyboard only', async t => {
    const page = await openPage(t, { browser, url: shop.url }, devices.desktop)
    await page.goto(shop.url)
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').textContent(), 'Skip to the content')
    await page.keyboard.press('Enter')
    // The skip link removes the focus; the next Tab continues from the content.
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
