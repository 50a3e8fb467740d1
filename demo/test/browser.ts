import { existsSync, mkdirSync } from 'node:fs'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { patienceMs } from './until.js'

const executablePath = [
  process.env['CHROMIUM'] ?? '',
  // Without the parts that draw on a screen, Chromium takes less time.
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find(path => path !== '' && existsSync(path))

/** Options for `t.test` that skip the test if Chromium is not installed. */
export const needsChromium = executablePath === undefined ? { skip: 'chromium is not installed' } : {}

/** Screens of visitors. */
export const devices = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>
export type Device = keyof typeof devices

/** Time limit of a file with browser tests on a busy machine, in milliseconds. */
export const browserPatienceMs = 900_000

/** Starts Chromium and closes it after the test. */
export async function launch(t: Test): Promise<Browser> {
  if (executablePath === undefined) throw new Error('chromium is not installed')
  // The sandbox of Chromium does not work for root, the user of most containers.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [...asRoot, '--disable-dev-shm-usage', '--disable-gpu']
  const browser = await chromium.launch({ executablePath, args, timeout: patienceMs })
  t.teardown(() => browser.close())
  return browser
}

/** Opens a page. The test fails if the page contacts another host, violates its policy or throws. */
export async function openPage(
  t: Test,
  { browser, url }: { browser: Browser; url: string },
  options: BrowserContextOptions,
): Promise<Page> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  t.teardown(() => context.close())
  context.setDefaultTimeout(patienceMs)
  context.on('console', message => {
    // Chromium reports each answer over 399 as an error. 402 is a declined card, 503 an outage.
    if (message.type() === 'error' && !/status of (402|404|503)/.test(message.text())) t.fail(message.text())
  })
  context.on('weberror', error => t.fail(error.error().message))
  context.on('request', request => {
    if (new URL(request.url()).origin !== url) t.fail(`asks ${request.url()}`)
  })
  return context.newPage()
}

/** Returns by how many pixels the page is wider than the screen. */
export function tooWide(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = (
      globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }
    ).document.documentElement
    return scrollWidth - clientWidth
  })
}

/** Returns the accessibility problems that axe-core finds on the page. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // `evaluate` uses the debugger, because the page's content security policy blocks other scripts.
  await page.evaluate(axe.source)
  return runAxe(page, ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
}

/**
 * Returns the contrast problems of a page that `accessibilityProblems` has checked before.
 * Contrast is all that the color scheme changes.
 */
export function contrastProblems(page: Page): Promise<string[]> {
  return runAxe(page, ['color-contrast'])
}

async function runAxe(page: Page, runOnly: string[]): Promise<string[]> {
  const { violations } = await page.evaluate(
    ([exclude, runOnly]) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({ exclude: [exclude] }, { runOnly }),
    [manyRows, runOnly] as const,
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
}

/** Successful requests after the tenth row: they look like the others, and axe-core would need seconds for them. */
const manyRows = '.exchange.good:nth-child(n + 11)'

/** Saves a screenshot in `.tap/screenshots`. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = '.tap/screenshots'
  mkdirSync(folder, { recursive: true })
  const path = `${folder}/${name.replaceAll(/\W+/g, '-')}.png`
  // Headless Chromium sometimes fails to take a screenshot.
  for (let attempt = 1; ; attempt += 1) {
    const failed = await page.screenshot({ path }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failed === undefined) return
    if (attempt === 5) throw failed
  }
}
