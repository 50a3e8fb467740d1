import type { Page } from 'playwright-core'
import t from 'tap'
import {
  accessibilityProblems,
  browserPatienceMs,
  devices,
  launch,
  needsChromium,
  openPage,
  takePicture,
  tooWide,
  type Device,
} from './browser.js'
import { openShop } from './open-shop.js'

/** Each page that there is, by what a visitor does from one to the next. */
const pages: readonly (readonly [name: string, go: (page: Page) => Promise<unknown>])[] = [
  ['books', page => page.goto('/')],
  ['nothing in the cart', page => page.getByRole('link', { name: 'Cart' }).click()],
  ['no such page', page => page.goto('/nowhere')],
  [
    'cart',
    async page => {
      await page.goto('/')
      await page.getByRole('button', { name: 'Add to cart: Bread at Four in the Morning' }).click()
    },
  ],
  ['checkout', page => page.getByRole('link', { name: 'Check out' }).click()],
  [
    'declined',
    async page => {
      await page.getByLabel('Test card that is declined').check()
      await page.getByRole('button', { name: 'Pay' }).click()
      await page.getByRole('alert').waitFor()
    },
  ],
  [
    'order',
    async page => {
      await page.getByLabel('Test card that pays').check()
      await page.getByRole('button', { name: 'Pay' }).click()
      await page.getByRole('link', { name: 'Download the PDF' }).waitFor()
    },
  ],
  [
    'order with its token',
    async page => {
      await page.getByText('New to this?').click()
      await page.locator('.exchange.good', { hasText: 'PUT /receipts' }).locator('summary').click()
    },
  ],
  ['receipt', page => page.getByRole('link', { name: 'View online' }).click()],
  ['behind the shop', page => page.goto('/live')],
  [
    'something broken',
    async page => {
      await page.getByRole('button', { name: 'Break: Wrong audience' }).click()
      await page.getByRole('link', { name: 'Show this request' }).click()
    },
  ],
  [
    'order that waits',
    async page => {
      await page.getByRole('link', { name: 'Its order' }).click()
      await page.getByText('Your receipt is being made').waitFor()
    },
  ],
  [
    'healed',
    async page => {
      await page.getByRole('link', { name: 'Token flow' }).click()
      await page.getByRole('button', { name: 'Reset all' }).click()
      await page.getByText('Everything reset').waitFor()
    },
  ],
]

t.setTimeout(browserPatienceMs)

t.test('the shop fits 320 pixels, which is 1280 at four times the size', needsChromium, async t => {
  const { url } = await openShop(t)
  const browser = await launch(t)
  const page = await openPage(t, { browser, url }, { viewport: { width: 320, height: 640 }, baseURL: url })
  for (const path of ['/', '/cart', '/live']) {
    await page.goto(path)
    t.equal(await tooWide(page), 0, path)
  }
})

t.test('each page fits its screen, and axe-core finds nothing', needsChromium, async t => {
  t.setTimeout(browserPatienceMs)
  const { url } = await openShop(t)
  const browser = await launch(t)
  for (const device of Object.keys(devices) as Device[])
    for (const colorScheme of ['light', 'dark'] as const)
      await t.test(`${device}, ${colorScheme}`, async t => {
        const options = { ...devices[device], colorScheme, baseURL: url }
        const page = await openPage(t, { browser, url }, options)
        for (const [name, go] of pages) {
          await go(page)
          await page.waitForLoadState()
          await takePicture(page, `${device} ${colorScheme}: ${name}`)
          t.equal(await tooWide(page), 0, `${name} fits`)
          t.strictSame(await accessibilityProblems(page), [], `nothing found: ${name}`)
        }
      })
})
