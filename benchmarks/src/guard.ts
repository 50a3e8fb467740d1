// Did the guard become slower? `pnpm bench:guard` measures its cost *in signatures*: processor time of one request divided
// by that of one bare ES256 `crypto.verify`, measured in alternation. That ratio is much the same on any machine, but
// depends on V8: guard.json holds one set per Node version. `--keep` replaces the set of this version.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { AddedCosts } from './added-cost.js'
import { startServer } from './harness/server-process.js'

const processes = 3
const rounds = 10
/** A case fails if it costs this many times what is stored. */
const tolerance = 1.25
const file = new URL('../guard.json', import.meta.url)
const [version = ''] = process.versions.node.split('.')

/** Case → signatures. */
type Costs = Readonly<Record<string, number>>

/** The lowest cost of several processes: other work on the machine, and bad luck with V8, only add to it. */
async function lowestCosts(): Promise<Costs> {
  const lowest: Record<string, number> = {}
  for (let count = 0; count < processes; count += 1)
    for (const [name, cost] of Object.entries(await costsInSignatures()))
      lowest[name] = Math.min(lowest[name] ?? Number.POSITIVE_INFINITY, Number(cost.toPrecision(3)))
  return lowest
}

async function costsInSignatures(): Promise<Costs> {
  const guard = await startServer('the guard', 'added-cost', { rounds, algorithms: ['ES256'] })
  try {
    const { 'ES256, one bare crypto.verify': signature = Number.NaN, ...costs } =
      await guard.ask<AddedCosts>('costs')
    return Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, cost / signature]))
  } finally {
    await guard.stop()
  }
}

function compare(costs: Costs, stored: Costs): boolean {
  const slower = Object.keys(costs).filter(name => {
    const [cost = Number.NaN, before = Number.NaN] = [costs[name], stored[name]]
    const isSlower = !(cost <= before * tolerance)
    console.log(`${isSlower ? '❌' : '✅'} ${name}: ${cost} signatures, stored: ${before}`)
    return isSlower
  })
  return slower.length === 0
}

const { keep } = parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values
const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Costs>
const costs = await lowestCosts()
if (keep) {
  stored[version] = costs
  writeFileSync(file, `${JSON.stringify(stored, null, 2)}\n`)
  console.log(`Stored in benchmarks/guard.json for Node ${version}`)
}
const before = stored[version]
if (before === undefined) {
  console.error(`benchmarks/guard.json has nothing for Node ${version}. Store it: pnpm bench:guard --keep`)
  process.exitCode = 1
} else if (!compare(costs, before)) {
  console.error(
    `\nSlower by more than ${Math.round((tolerance - 1) * 100)} %. Find out why: pnpm bench:profile`,
  )
  process.exitCode = 1
}
