import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openBookstore, type Bookstore } from '#src/bookstore.js'
import type { DemoConfig } from '#src/config.js'
import { loadConfig } from '#src/load-config.js'
import { chooseFreePorts } from '#src/ports.js'
import { copyDatabase } from './database-template.js'

/** All services, on free ports and with a separate database. */
export interface Shop extends Bookstore {
  readonly config: DemoConfig
  readonly url: string
}

/** Opens the shop and closes it after the test. */
export async function openShop(t: Test): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  await copyDatabase(join(folder, 'database'))
  const config = loadConfig(await chooseFreePorts(), { DEMO_FOLDER: folder, LOG_LEVEL: 'silent' })
  const shop = await openBookstore(config)
  t.teardown(async () => {
    await shop.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { ...shop, config, url: `http://127.0.0.1:${config.storefront.port}` }
}
