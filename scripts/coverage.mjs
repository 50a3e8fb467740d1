// Each process of a coverage run writes a file with V8's counts and its source maps.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ownSource = new RegExp(`^${pathToFileURL('.').href}/(?:packages/[^/]+|demo)/dist/`)

/** Copies the counts of our compiled sources. 95 % of the data belongs to dependencies and is left out. */
export function collectCoverage(from, to) {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) {
    const coverage = JSON.parse(readFileSync(join(from, name), 'utf8'))
    const result = coverage.result.filter(({ url }) => ownSource.test(url))
    const maps = Object.entries(coverage['source-map-cache'] ?? {}).filter(([url]) => ownSource.test(url))
    if (result.length === 0) continue
    writeFileSync(join(to, name), JSON.stringify({ result, 'source-map-cache': Object.fromEntries(maps) }))
  }
}
