import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { switches, type Switch } from '#src/faults/switches.js'
import {
  browserPatienceMs,
  devices,
  launch,
  needsChromium,
  openPage,
  takePicture,
  tooWide,
  type Device,
} from './browser.js'
import { pageWithReceipt } from './buyer.js'
import { openShop } from './open-shop.js'
import { effects, isThere } from './switch-effects.js'
import { until } from './until.js'

/** A page where switches are flipped, and a second page that only observes. */
interface Visitor {
  readonly how: string
  readonly hasScript: boolean
  readonly page: Page
  readonly onlooker: Page
}

/**
 * A delivery that waits, a purchase that succeeds, and a switch without a "Heal" button. faults.test.ts flips every
 * switch without a browser.
 */
const oneOfEachKind = ['wrong-audience', 'issuer-down', 'withdraw-keys']
/** Scripts do not depend on the device, so some cases only run in one of the variants. */
const variants: readonly {
  readonly device: Device
  readonly hasScript: boolean
  readonly tried: readonly string[]
  readonly paysWithoutTokens: boolean
}[] = [
  { device: 'desktop', hasScript: true, tried: oneOfEachKind, paysWithoutTokens: true },
  { device: 'desktop', hasScript: false, tried: ['wrong-audience'], paysWithoutTokens: false },
  { device: 'phone', hasScript: true, tried: oneOfEachKind, paysWithoutTokens: false },
  { device: 'phone', hasScript: false, tried: ['wrong-audience'], paysWithoutTokens: true },
]

t.setTimeout(browserPatienceMs)

t.test('the switches, in a real browser', needsChromium, async t => {
  t.setTimeout(browserPatienceMs)
  const { url } = await openShop(t)
  const browser = await launch(t)
  for (const { device, hasScript, tried, paysWithoutTokens } of variants) {
    const how = `${device}, ${hasScript ? 'with' : 'without'} script`
    await t.test(how, async t => {
      const options = { ...devices[device], javaScriptEnabled: hasScript, baseURL: url }
      const page = await openPage(t, { browser, url }, options)
      const visitor = { how, hasScript, page, onlooker: await page.context().newPage() }
      await page.goto('/live')
      await visitor.onlooker.goto('/live')
      for (const one of switches.filter(({ name }) => tried.includes(name)))
        await t.test(one.title, t => flip(t, visitor, one))
      if (paysWithoutTokens)
        await t.test('without an access token, paying fails and charges nothing', t =>
          payWithoutTokens(t, visitor),
        )
      await t.test('the flow shows its newest line, but does not move while somebody reads older ones', t =>
        readFlow(t, visitor),
      )
      t.equal(await tooWide(page), 0, 'the page fits the screen')
    })
  }
})

async function flip(t: Test, visitor: Visitor, { name, title, heal, verb = 'Do it' }: Switch): Promise<void> {
  const { page, how } = visitor
  const effect = effects[name]
  if (effect === undefined) throw new Error(`the effect of ${name} is unknown`)
  const before = await lastLine(page)
  await press(page, `${heal === undefined ? verb : 'Break'}: ${title}`)
  t.match(await readEffect(page, title, effect.says), effect.says)
  const flow = await linesAfter(page, before)
  await seeInSight(page.locator('.own .row').first(), 'the arrows of the trial')
  await takePicture(page, `${how}: ${name}`)
  for (const line of effect.flow) t.match(flow, line)
  if (effect.never !== undefined) t.notMatch(flow, effect.never)

  await page
    .getByRole('link', { name: /^Show th(e|is) request/ })
    .first()
    .click()
  const shown = page.locator('.exchange:has(:target)')
  await seeInSight(shown.locator('summary'), 'the line to which the link leads')
  const id = await shown.getAttribute('id')
  t.match(await shown.innerText(), effect.inside, 'the line, opened by the link')
  if (visitor.hasScript) {
    await seeInSight(shown.locator('.story'), 'the opened line')
    for (const verdict of await shown.locator('.verdict').all())
      await seeInSight(verdict, 'the check that failed')
  }
  await lookOn(visitor, `#${id}`)
  t.pass('the other window shows the line too')

  const order = (await page.getByRole('link', { name: 'Its order' }).getAttribute('href')) ?? ''
  if (heal === undefined) return seeReceipt(page, order)
  if (effect.receipt === 'once healed') {
    t.match(await (await page.request.get(order)).text(), 'Your receipt is being made')
  } else await seeDelivery(visitor, order)
  t.strictSame(await page.locator('.broken h3').allInnerTexts(), [title], 'the broken switch is marked')
  t.match(await page.locator('.still').innerText(), `Still broken: ${title}`)
  if (visitor.hasScript) await visitor.onlooker.getByRole('button', { name: `Heal: ${title}` }).waitFor()
  await press(page, `Heal: ${title}`)
  t.match(await readEffect(page, `${title}, healed`, isThere), isThere)
  t.equal(await page.getByRole('button', { name: 'Heal' }).count(), 0, 'no switch is broken any more')
  await seeDelivery(visitor, order)
  await seeReceipt(page, order)
}

/** Breaks the issuer and forgets the tokens: paying fails. After healing, the same form pays once. */
async function payWithoutTokens(t: Test, { page, onlooker, how }: Visitor): Promise<void> {
  await press(onlooker, 'Break: Issuer down')
  await readEffect(onlooker, 'Issuer down', isThere)
  await press(onlooker, 'Forget: Forget the tokens')
  const nobodyPays =
    /could not be bought\. Nothing was charged\. TOKEN_CLIENT_UNAVAILABLE Why: .*(It gets no answer|No request was made)/
  const both = 'Forget the tokens. Also broken: Issuer down'
  t.match(await readEffect(onlooker, both, nobodyPays), nobodyPays)
  await takePicture(onlooker, `${how}: no tokens`)

  await page.goto('/')
  await press(page, 'Buy now: The Lighthouse Ledger')
  await press(page, 'Pay €21.90')
  await page.getByRole('alert').waitFor()
  t.match(await page.getByRole('alert').innerText(), 'Not paid. The payment service cannot be reached')
  await takePicture(page, `${how}: cannot pay`)

  await press(onlooker, 'Heal: Issuer down')
  t.match(await readEffect(onlooker, 'Issuer down, healed', isThere), isThere)
  await press(page, 'Pay €21.90')
  await page.getByRole('heading', { name: 'Thank you' }).waitFor()
  await seeReceipt(page, page.url())
}

/** The box shows the end of a long flow, until the reader scrolls up. */
async function readFlow(t: Test, { page, onlooker, hasScript }: Visitor): Promise<void> {
  await page.goto('/live')
  await page.locator('.boxed').scrollIntoViewIfNeeded()
  const lines = page.locator('token-flow .exchange')
  await seeInSight(lines.last().locator('summary'), 'the newest line')
  t.notOk(await isInSight(lines.first().locator('summary')), 'the oldest is scrolled away')
  await page.goto(`/live#${await lines.nth(20).getAttribute('id')}`)
  await seeInSight(lines.nth(20).locator('summary'), 'the target of a link, not covered by the column names')
  if (!hasScript) return
  await lines.first().scrollIntoViewIfNeeded()
  const before = await lastLine(page)
  const place = await topOf(lines.first())
  await press(onlooker, 'Forget: Forget the tokens')
  await page.locator(`[id$="-${before + 6}"].exchange`).waitFor({ state: 'attached' })
  // The browser may round the position of the scrolled box to the other side. A line is many pixels high.
  const moved = Math.abs((await topOf(lines.first())) - place)
  t.ok(moved <= 1, 'the line that is being read does not move')
}

/** Waits, because the browser scrolls a frame or more after the event. */
async function seeInSight(place: Locator, what: string): Promise<void> {
  await until(`${what}, in sight`, () => isInSight(place))
}

/** Returns the distance to the upper edge of the screen, in whole pixels. */
async function topOf(line: Locator): Promise<number> {
  return Math.round((await line.boundingBox())?.y ?? Number.NaN)
}

function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click()
}

/**
 * Returns the result of a flip on the page. If a request was still running when the page was rendered, the page is
 * reloaded.
 */
function readEffect(page: Page, what: string, expected: RegExp): Promise<string> {
  const effect = page.locator('#effect')
  return until(`an end of ${what}`, async () => {
    await effect.getByText(`${what}. A book`).first().waitFor()
    const said = oneLine(await effect.innerText())
    if (expected.test(said) || !/has not answered yet|waits before it asks/.test(said)) return said
    await page.reload()
    return undefined
  })
}

async function lastLine(page: Page): Promise<number> {
  return Number((await page.locator('token-flow .exchange').last().getAttribute('id'))?.split('-')[1])
}

/** Returns the lines after this one, without their times. */
async function linesAfter(page: Page, id: number): Promise<string> {
  const lines = await page
    .locator('token-flow .exchange')
    .evaluateAll(
      (found, id) =>
        (found as unknown as { id: string; querySelector(of: string): { textContent: string } }[])
          .filter(line => Number(line.id.split('-')[1]) > id)
          .map(line => line.querySelector('summary').textContent),
      id,
    )
  return lines.map(line => oneLine(line).replace(/^\S+ /, '')).join('\n')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** Returns whether a line is visible: not scrolled away, and not covered by the sticky column names. */
function isInSight(line: Locator): Promise<boolean> {
  return line.evaluate(element => {
    interface Box {
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
    }
    const { ownerDocument, getBoundingClientRect } = element as unknown as {
      ownerDocument: { elementFromPoint(x: number, y: number): unknown }
      getBoundingClientRect(): Box
    }
    const { x, y, width, height } = getBoundingClientRect.call(element)
    const onTop = ownerDocument.elementFromPoint(x + width / 2, y + height / 2)
    return (element as unknown as { contains(other: unknown): boolean }).contains(onTop)
  })
}

/** Waits for a line in the second page, which updates itself with script and has a link for that without. */
async function lookOn({ onlooker, hasScript }: Visitor, line: string): Promise<void> {
  if (!hasScript) await onlooker.getByRole('link', { name: 'Look again' }).click()
  await onlooker.locator(line).waitFor()
}

/** Waits until the flow shows the delivery of the receipt; without script, the page has to be reloaded. */
async function seeDelivery({ page, hasScript }: Visitor, order: string): Promise<void> {
  const title = `PUT /receipts/${order.slice('/orders/'.length).slice(0, 4)}…`
  if (!hasScript) {
    await until(`${title} answered`, async () => {
      const live = await (await page.request.get('/live')).text()
      const rows = live.slice(live.indexOf('<token-flow')).split('<li class="exchange ')
      return rows.some(row => row.startsWith('good') && row.includes(title))
    })
    await page.reload()
  }
  await page.locator('token-flow .exchange.good', { hasText: title }).first().waitFor()
}

/** Waits for the receipt by HTTP: browser-buying.test.ts looks at the order's page. */
async function seeReceipt(page: Page, order: string): Promise<void> {
  await pageWithReceipt(new URL(order, page.url()).href)
}
