import { createHash } from 'node:crypto'
import { cpSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareFolder } from '#src/database/prepare-folder.js'

/** Where PGlite is installed, its version included: another version has another template. */
const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite')
const name = createHash('sha256').update(pglite).digest('hex').slice(0, 12)
/** Made once for all test processes: creating a database takes seconds of CPU, copying one a fraction of that. */
const template = join(tmpdir(), `bookstore-template-${name}`)

/** Puts an empty database into a folder, as the first start of the demo would. */
export async function copyDatabase(folder: string): Promise<void> {
  if (!existsSync(template)) await prepareFolder({ folder: template })
  cpSync(template, folder, { recursive: true })
}
