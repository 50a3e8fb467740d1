import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder, seen from the compiled tests in `docs/.test`. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Packages whose documentation and public surface are kept by these tests. */
export const packages = [
  'resource-server',
  'token-client',
  'issuer-connection',
  'test-issuer',
  'api-contract',
  'api-contract-tools',
  'declared-options',
] as const

/** Every file below a folder of the repository whose name ends so, as a path from the root. */
export function filesBelow(folder: string, ending: string): string[] {
  const skipped = new Set([
    'node_modules',
    'dist',
    '.test',
    '.tap',
    '.git',
    '.blocks',
    '.demo',
    'CHANGELOG.md',
  ])
  const walk = (at: string): string[] =>
    readdirSync(at)
      .filter(name => !skipped.has(name))
      .flatMap(name => {
        const path = join(at, name)
        if (statSync(path).isDirectory()) return walk(path)
        return name.endsWith(ending) ? [relative(root, path)] : []
      })
  return walk(join(root, folder)).sort()
}

/** Reads a file by its path from the root. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
