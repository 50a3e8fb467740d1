import t from 'tap'
import { packages, read } from './repository.js'

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

function manifestOf(name: string): Manifest {
  return JSON.parse(read(`packages/${name}/package.json`)) as Manifest
}

function peersOf(name: string): string[] {
  if (name === 'fastify-api-contract-tools') return ['fastify-api-contract']
  return name.startsWith('fastify-') ? ['fastify'] : []
}

for (const name of packages)
  t.test(
    `${name}: each dependency has its reason in docs/dependencies.md, and none is left there`,
    async t => {
      const manifest = manifestOf(name)
      const [, section = ''] = read('docs/dependencies.md').split(`\n## ${manifest.name}\n`)
      const rows = [
        ...(section.split('\n## ')[0] ?? '').matchAll(/^\| \[(\S+)\]\(\S+\) +\| (.+?) +\| (.+?) +\|$/gm),
      ]
      t.strictSame(
        rows.map(([, dependency]) => dependency).sort(),
        Object.keys(manifest.dependencies ?? {}).sort(),
        'the same names',
      )
      for (const [, dependency, what = '', why = ''] of rows)
        t.ok(what.length > 10 && why.length > 5, `${dependency}: what for, and why not our own`)
      t.strictSame(Object.keys(manifest.peerDependencies ?? {}), peersOf(manifest.name))
    },
  )

t.test('oauth-test-issuer needs nothing but jose and declared-options', async t => {
  t.strictSame(Object.keys(manifestOf('test-issuer').dependencies ?? {}), ['declared-options', 'jose'])
})
