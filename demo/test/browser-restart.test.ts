import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openBookstore } from '#src/bookstore.js'
import { loadConfig } from '#src/load-config.js'
import { chooseFreePorts } from '#src/ports.js'
import { copyDatabase } from './database-template.js'
import { browserPatienceMs, devices, launch, needsChromium } from './browser.js'

t.setTimeout(browserPatienceMs)

t.test(
  'an open page reports a lost connection, and starts over after a restart of the shop',
  needsChromium,
  async t => {
    t.setTimeout(browserPatienceMs)
    const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
    const ports = await chooseFreePorts()
    const open = () => openBookstore(loadConfig(ports, { DEMO_FOLDER: folder, LOG_LEVEL: 'silent' }))
    await copyDatabase(join(folder, 'database'))
    const first = await open()
    const browser = await launch(t)
    const baseURL = `http://127.0.0.1:${ports.storefront}`
    const page = await (await browser.newContext({ ...devices.desktop, baseURL })).newPage()
    await page.goto('/live')
    await page.locator('token-flow .exchange', { hasText: 'POST /token' }).first().waitFor()
    const [, boot] =
      /^x(\w+)-/.exec((await page.locator('token-flow .exchange').first().getAttribute('id')) ?? '') ?? []
    t.ok(boot)
    t.notOk(await page.getByText('No connection to the shop').isVisible())

    await first.close()
    await page.getByText('No connection to the shop. Trying again…').waitFor()

    const second = await open()
    t.teardown(async () => {
      await second.close()
      rmSync(folder, { recursive: true, force: true })
    })
    await page.getByText('The shop was restarted.').waitFor()
    await page.locator('token-flow .exchange', { hasText: 'POST /token' }).first().waitFor()
    t.equal(await page.locator(`[id^="x${boot}-"]`).count(), 0, 'nothing of the earlier start is left')
    t.notOk(await page.getByText('No connection to the shop').isVisible())
  },
)
