import { cpSync, existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { lockFolder } from '#src/database/folder-lock.js'
import { prepareFolder } from '#src/database/prepare-folder.js'
import { until } from './until.js'

// Optimizing PGlite's WebAssembly would take a second of CPU time in each test process.
setFlagsFromString('--liftoff-only')

const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite')
const { version } = JSON.parse(readFileSync(new URL('../package.json', pathToFileURL(pglite)), 'utf8')) as {
  version: string
}
/** Shared by all test processes, because creating a database takes seconds of CPU time. */
const template = join(tmpdir(), `bookstore-template-${version}`)

/** Copies an empty database to a folder. */
export async function copyDatabase(folder: string): Promise<void> {
  if (!existsSync(template)) await createTemplate()
  cpSync(template, folder, { recursive: true })
}

/** One test process creates the template; the others wait. */
async function createTemplate(): Promise<void> {
  const unlock = await until('the lock of the template', lockTemplate)
  if (!existsSync(template)) await prepareFolder({ folder: template })
  unlock()
}

function lockTemplate(): (() => void) | undefined {
  try {
    return lockFolder(template)
  } catch {
    return undefined
  }
}
