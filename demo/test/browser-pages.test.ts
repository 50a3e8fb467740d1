import type { Page } from 'playwright-core'
import t from 'tap'
import {
  accessibilityProblems,
  browserPatienceMs,
  contrastProblems,
  devices,
  launch,
  needsChromium,
  openPage,
  takePicture,
  tooWide,
  type Device,
} from './browser.js'
import { openShop } from './open-shop.js'

/** All pages, each with the steps from the previous page. */
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

t.test(
  'pages fit into 320 pixels, as at a zoom of 400 % on a screen of 1280 pixels',
  needsChromium,
  async t => {
    const { url } = await openShop(t)
    const browser = await launch(t)
    const page = await openPage(t, { browser, url }, { viewport: { width: 320, height: 640 }, baseURL: url })
    for (const path of ['/', '/cart', '/live']) {
      await page.goto(path)
      t.equal(await tooWide(page), 0, path)
    }
  },
)

t.test('each page fits its screen, and axe-core finds no problem', needsChromium, async t => {
  t.setTimeout(browserPatienceMs)
  const browser = await launch(t)
  for (const device of Object.keys(devices) as Device[])
    await t.test(device, async t => {
      // Each device gets a new shop, because axe-core takes seconds for a long token flow.
      const { url } = await openShop(t)
      const page = await openPage(t, { browser, url }, { ...devices[device], baseURL: url })
      for (const [name, go] of pages) {
        await go(page)
        await page.waitForLoadState()
        await takePicture(page, `${device} light: ${name}`)
        t.equal(await tooWide(page), 0, `${name} fits`)
        t.strictSame(await accessibilityProblems(page), [], `no problem: ${name}`)
        await page.emulateMedia({ colorScheme: 'dark' })
        await takePicture(page, `${device} dark: ${name}`)
        t.equal(await tooWide(page), 0, `${name} fits, dark`)
        t.strictSame(await contrastProblems(page), [], `enough contrast: ${name}, dark`)
        await page.emulateMedia({ colorScheme: 'light' })
      }
    })
})
