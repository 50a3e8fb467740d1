// Each process of a coverage run leaves a file of V8's counts, with the source maps that it loaded.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ownSource = new RegExp(`^${pathToFileURL('.').href}/(?:packages/[^/]+|demo)/dist/`)

/** Copies what the files in `from` say about our compiled sources. The rest, mostly dependencies, is 95 % of them. */
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
