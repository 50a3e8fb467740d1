import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { loadGenerator } from './load.js'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>
}

/** What the numbers were measured on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly node: string
  readonly load: string
  /** How many threads wanted a processor in the minute before, when nothing had been measured yet. */
  readonly busy: number
  readonly packages: Readonly<Record<string, string>>
}

export function describeMachine(): Machine {
  const ours = /^(fastify-resource-server|fastify-token-client|oauth-test-issuer)$/
  const names = Object.keys(manifest.dependencies).filter(name => !ours.test(name) && name !== 'autocannon')
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    load: loadGenerator,
    busy: loadavg()[0] ?? 0,
    packages: Object.fromEntries(names.map(name => [name, versionOf(name)])),
  }
}

/** Not every package exports its package.json, so it is looked for where Node would. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      const { version } = JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as {
        version: string
      }
      return version
    } catch {
      continue
    }
  }
  return 'unknown'
}
