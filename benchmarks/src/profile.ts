// Where the time of a request goes: `pnpm bench:profile [case] [server]` puts a server under load with V8's
// profiler and prints the time by part. The `.cpuprofile` stays for a flame graph (speedscope, Chrome).
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bearerTokens, scope, startIssuer } from './harness/issuer.js'
import { createLoadGenerator, type Credentials } from './harness/load.js'
import { startServer } from './harness/server-process.js'
import { readProfile, type CpuProfile } from './report/cpu-profile.js'

const seconds = 5
const [name = 'repeated', file = 'resource-server'] = process.argv.slice(2)

const { issuer, trust } = await startIssuer('ES256')
const cases: Readonly<Record<string, () => Promise<Credentials>>> = {
  repeated: () => bearerTokens(issuer, 1),
  new: () => bearerTokens(issuer, 8_000),
  missing: async () => [undefined],
  garbage: async () => ['Bearer of no token'],
  expired: async () => [`Bearer ${await issuer.token({ scopes: [scope], expiresInMs: -3_600_000 })}`],
  scope: async () => [`Bearer ${await issuer.token({ scopes: ['orders:write'] })}`],
}
const credentials = await cases[name]?.()
if (credentials === undefined)
  throw new Error(`there is no case ${name}; there are ${Object.keys(cases).join(', ')}`)

const options = { verifyInThreadPool: false }
const server = await startServer(file, `servers/${file}`, { ...trust, options })
const load = await createLoadGenerator()
await load.send(server.url, { path: '/orders', credentials, seconds })
await server.ask('startProfile')
const { requests } = await load.send(server.url, { path: '/orders', credentials, seconds })
const profile = await server.ask<CpuProfile>('endProfile')
await Promise.all([server.stop(), load.close(), issuer.close()])

const { parts, functions } = readProfile(profile)
const table = (rows: ReadonlyMap<string, number>, most: number): void => {
  for (const [what, microseconds] of [...rows].sort(([, a], [, b]) => b - a).slice(0, most))
    console.log(`${(microseconds / requests).toFixed(2).padStart(8)} µs  ${what}`)
}
console.log(`${name} on ${file}: ${requests} requests; self time for one of them\n`)
table(parts, 12)
console.log('\nOf which in single functions\n')
table(functions, 25)
const kept = join(mkdtempSync(join(tmpdir(), 'bench-')), `${name}.cpuprofile`)
writeFileSync(kept, JSON.stringify(profile))
console.log(`\n${kept}`)
