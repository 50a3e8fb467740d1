import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { filesBelow, packages, read } from './repository.js'

/**
 * docs/architecture.md draws, for each package, which part may import which:
 *
 *     arrows resource-server
 *     index → plugin, errors
 *
 * A part is a folder of `src`, or a file that lies in `src` itself. The drawing and the imports have to say the same.
 */
function drawn(name: string): Map<string, string[]> {
  const block = read('docs/architecture.md').match(
    new RegExp(`^\`\`\`arrows ${name}\n([^]*?)^\`\`\`$`, 'm'),
  )?.[1]
  if (block === undefined) throw new Error(`docs/architecture.md has no "arrows ${name}" block`)
  return new Map(
    block
      .trim()
      .split('\n')
      .map(line => line.split('→').map(side => side.trim()))
      .map(([from = '', to = '']) => [
        from,
        to
          .split(',')
          .map(part => part.trim())
          .filter(Boolean)
          .sort(),
      ]),
  )
}

const importPattern = /^(?:import|export)\b[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gm

function importsOf(file: string): string[] {
  return [...read(file).matchAll(importPattern)].map(match => match[1] ?? match[2] ?? '')
}

function partOf(source: string, file: string): string {
  const [first = ''] = relative(source, file).split('/')
  return first.replace(/\.[jt]s$/, '')
}

function found(source: string): Map<string, string[]> {
  const arrows = new Map<string, Set<string>>()
  for (const file of filesBelow(source, '.ts')) {
    const from = partOf(source, file)
    const to = arrows.get(from) ?? new Set<string>()
    arrows.set(from, to)
    for (const target of importsOf(file).filter(name => name.startsWith('.'))) {
      const part = partOf(source, join(dirname(file), target))
      if (part !== from) to.add(part)
    }
  }
  return new Map([...arrows].map(([from, to]) => [from, [...to].sort()]))
}

/** One line for each part that imports another, sorted. */
function asText(arrows: Map<string, string[]>): string {
  return [...arrows]
    .filter(([, to]) => to.length > 0)
    .map(([from, to]) => `${from} → ${to.join(', ')}`)
    .sort()
    .join('\n')
}

/** Arrows that may close a cycle, with the reason. */
const allowedCycles: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'token-client': {
    'options → acquire': 'settings are made of the types that the steps declare',
    'options → call': 'settings are made of the types that the steps declare',
    'options → share': 'settings are made of the types that the steps declare',
  },
}

/** A path of arrows from a part to itself; undefined if there is none. */
function cycleThrough(part: string, arrows: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const visited = new Set<string>()
  const pathFrom = (from: string): string[] | undefined => {
    for (const to of arrows.get(from) ?? []) {
      if (to === part) return [from, part]
      if (visited.has(to)) continue
      visited.add(to)
      const rest = pathFrom(to)
      if (rest !== undefined) return [from, ...rest]
    }
    return undefined
  }
  return pathFrom(part)
}

t.test('a cycle is found, however long', async t => {
  const arrows = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['a']],
  ])
  t.strictSame(cycleThrough('a', arrows), ['a', 'b', 'd', 'a'])
  t.equal(cycleThrough('c', arrows), undefined)
})

/** The package that another is made for; all others know each other by their shape only. */
const builtUpon: Readonly<Record<string, string>> = { 'api-contract-tools': 'fastify-api-contract' }

for (const name of packages) {
  t.test(`${name}: no part imports itself through others`, async t => {
    const exceptions = allowedCycles[name] ?? {}
    const all = found(`packages/${name}/src`)
    for (const arrow of Object.keys(exceptions)) {
      const [from = '', to = ''] = arrow.split(' → ')
      t.ok(all.get(from)?.includes(to), `the exception ${arrow} is still needed`)
    }
    const arrows = new Map(
      [...all].map(([from, to]) => [from, to.filter(part => exceptions[`${from} → ${part}`] === undefined)]),
    )
    const cycles = [...arrows.keys()].map(part => cycleThrough(part, arrows)?.join(' → '))
    t.strictSame(
      cycles.filter(cycle => cycle !== undefined),
      [],
    )
  })

  t.test(`${name}: the imports are the arrows drawn in docs/architecture.md`, async t => {
    const source = `packages/${name}/src`
    t.strictSame(asText(found(source)), asText(drawn(name)))
  })

  t.test(
    `${name}: no relative import leaves the package, and no import reaches into another's inside`,
    async t => {
      const source = `packages/${name}/src`
      for (const file of filesBelow(source, '.ts')) {
        const outside = importsOf(file).filter(target => {
          if (!target.startsWith('.'))
            return (
              target !== builtUpon[name] &&
              /^(fastify-(resource-server|token-client|api-contract)|oauth-test-issuer)\b/.test(target)
            )
          return relative(source, join(dirname(file), target)).startsWith('..')
        })
        t.strictSame(outside, [], file)
      }
    },
  )
}

t.test('the walk through a request names files and functions that exist', async t => {
  const source = 'packages/resource-server/src'
  const [, walk = ''] =
    read('docs/architecture.md').match(/## A request comes in[^]*?```text\n([^]*?)```/) ?? []
  const files = filesBelow(source, '.ts')
  const texts = files.map(file => read(file))
  const paths = walk.match(/[\w/-]+\.ts\b/g) ?? []
  const functions = walk.match(/\b[a-z]+[A-Z]\w*/g) ?? []
  t.ok(paths.length > 20 && functions.length > 15)
  t.strictSame(
    paths.filter(path => !files.some(file => file.endsWith(`/${path}`))),
    [],
  )
  t.strictSame(
    functions.filter(name => !texts.some(text => new RegExp(`\\b${name}\\b`).test(text))),
    [],
  )
})

t.test('the demo imports only what the packages publish', async t => {
  for (const file of filesBelow('demo/src', '.ts')) {
    const inside = importsOf(file).filter(target =>
      /^(fastify-(resource-server|token-client|api-contract)|oauth-test-issuer)\/|^\.\.\/.*packages\//.test(
        target,
      ),
    )
    t.strictSame(inside, [], file)
  }
})
