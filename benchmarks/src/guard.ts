// Has the guard become slower? `pnpm bench:guard` divides the processor time of one request by that of a bare operation of
// the same kind, measured in alternation: one ES256 `crypto.verify` for a new token, one `JSON.parse` of the token's claims
// for everything else. Processors differ by a third in how fast they verify a signature compared with how fast they run
// JavaScript. The ratio still depends on V8, so guard.json has one set per Node version. `--keep` replaces the set.
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

/** Case → ratio to its bare operation. */
type Costs = Readonly<Record<string, number>>

/** The lowest cost of several processes: other work on the machine, and bad luck with V8, only add to it. */
async function lowestCosts(): Promise<Costs> {
  const lowest: Record<string, number> = {}
  for (let count = 0; count < processes; count += 1)
    for (const [name, cost] of Object.entries(await relativeCosts()))
      lowest[name] = Math.min(lowest[name] ?? Number.POSITIVE_INFINITY, Number(cost.toPrecision(3)))
  return lowest
}

async function relativeCosts(): Promise<Costs> {
  const guard = await startServer('the guard', 'added-cost', { rounds, algorithms: ['ES256'] })
  try {
    const {
      'ES256, one bare crypto.verify': signature = Number.NaN,
      'one bare JSON.parse': jsonParse = Number.NaN,
      ...costs
    } = await guard.ask<AddedCosts>('costs')
    const unitOf = (name: string): number => (name === 'ES256, a new token' ? signature : jsonParse)
    return Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, cost / unitOf(name)]))
  } finally {
    await guard.stop()
  }
}

function compare(costs: Costs, stored: Costs): boolean {
  const slower = Object.keys(costs).filter(name => {
    const [cost = Number.NaN, before = Number.NaN] = [costs[name], stored[name]]
    const isSlower = !(cost <= before * tolerance)
    console.log(`${isSlower ? '❌' : '✅'} ${name}: ${cost}, stored: ${before}`)
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
