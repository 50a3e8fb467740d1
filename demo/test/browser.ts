import { existsSync, mkdirSync } from 'node:fs'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { patienceMs } from './until.js'

const executablePath = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find(path => path !== '' && existsSync(path))

/** For `t.test`: skips, and says why, where there is no Chromium. */
export const needsChromium = executablePath === undefined ? { skip: 'chromium is not installed' } : {}

/** What visitors look at the shop with. */
export const devices = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>
export type Device = keyof typeof devices

/** How long a file of browser tests may take on a machine that has much other work, in milliseconds. */
export const browserPatienceMs = 900_000

/** Starts Chromium, and ends it after the test. */
export async function launch(t: Test): Promise<Browser> {
  if (executablePath === undefined) throw new Error('chromium is not installed')
  // Its sandbox refuses root, which is who runs in most containers.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [...asRoot, '--disable-dev-shm-usage', '--disable-gpu']
  const browser = await chromium.launch({ executablePath, args, timeout: patienceMs })
  t.teardown(() => browser.close())
  return browser
}

/** A page that reports what no page may do: ask elsewhere, break its policy, throw. */
export async function openPage(
  t: Test,
  { browser, url }: { browser: Browser; url: string },
  options: BrowserContextOptions,
): Promise<Page> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  t.teardown(() => context.close())
  context.setDefaultTimeout(patienceMs)
  context.on('console', message => {
    // Chromium reports each answer over 399 as an error: a declined card is 402, an outage 503.
    if (message.type() === 'error' && !/status of (402|404|503)/.test(message.text())) t.fail(message.text())
  })
  context.on('weberror', error => t.fail(error.error().message))
  context.on('request', request => {
    if (new URL(request.url()).origin !== url) t.fail(`asks ${request.url()}`)
  })
  return context.newPage()
}

/** By how many pixels the page is wider than the screen. */
export function tooWide(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = (
      globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }
    ).document.documentElement
    return scrollWidth - clientWidth
  })
}

/** Returns the accessibility problems that axe-core finds on the page, one sentence each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Through the debugger: the page's content security policy blocks foreign scripts.
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
    runOnly => (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly }),
    runOnly,
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
}

/** Keeps a picture of the page as an artefact of the run, in `.tap/screenshots`. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = '.tap/screenshots'
  mkdirSync(folder, { recursive: true })
  const path = `${folder}/${name.replaceAll(/\W+/g, '-')}.png`
  // Without a screen of its own, Chromium now and then has nothing to show in that moment.
  for (let attempt = 1; ; attempt += 1) {
    const failed = await page.screenshot({ path }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failed === undefined) return
    if (attempt === 5) throw failed
  }
}
