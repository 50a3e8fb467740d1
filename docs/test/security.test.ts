import t from 'tap'
import { filesBelow, read } from './repository.js'

const page = read('docs/security.md')
const packages = ['resource-server', 'token-client', 'issuer-connection', 'declared-options'] as const

interface Row {
  readonly code: string
  readonly files: readonly string[]
}

function rowsOf(title: string): readonly Row[] {
  const section = page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
    .map(line => line.split(' | '))
    .map(([code = '', where = '']) => ({
      code,
      files: [...where.matchAll(/`([^`]+\.ts)`/g)].map(([, file = '']) => file),
    }))
}

const rows = rowsOf('Code that is not ours')

/** How calls of foreign code look in the sources. */
const calls: Readonly<Record<string, RegExp>> = {
  'code in options': /return read\(\{/,
  'an API': /\bused\.over\(|\.requireRoutes\(/,
  'a clock': /\bclockOfOthers\(/,
  'a function that provides a credential': /\(provided as/,
  'a function that signs': /await sign\(/,
  'a function that gets tokens': /\bsource\(\{ \.\.\.target/,
  'the function that looks up issuers': /await resolve\(name\)/,
  'the dispatcher for the issuer': /undici\.request\(/,
  'a dispatcher for calls':
    /(?<!function )\bdispatch\(|[dD]ispatcher\(\)\.(?:request|stream|dispatch)\(|\.fetch\(url, \{|\)\.fetch\(|^\s*\.fetch\(/,
  'a handler of undici': /[hH]andler\.on[A-Z]\w+\?\.\(/,
  'a retry function': /\bretry\(failure/,
  'a store': /\bstore\.(?:get|set|lock|unlock|add|put|read|watch)\b(?:\?\.)?\(/,
  'a connection to Redis': /\bredis\.\w+\(/,
  'the source of certificates': /\bsource\(request\)/,
  'a schema with functions': /\bvalidator\.Check\(claims/,
  'the logger': /\blog\.(?:fatal|error|warn|info|debug|trace)\(/,
  'a diagnostics channel': /\.publish\(/,
  'a getter that asks trustProxy': /\{ protocol, host \}|request\.(?:host|hostname|ip|ips|protocol)\b/,
  'other hooks': /\bdone\(|(?:\breply|^\s*)\.send\(/,
  'an iterable': /for await \(|headers as Iterable/,
}

function sourcesWith(pattern: RegExp): readonly string[] {
  return packages.flatMap(name =>
    filesBelow(`packages/${name}/src`, '.ts')
      .filter(file => codeIn(file).some(line => pattern.test(line)))
      .map(file => file.replace(/^packages\//, '')),
  )
}

/** The lines of a file, without comments. */
function codeIn(file: string): readonly string[] {
  return read(file)
    .split('\n')
    .map(line => line.replace(/\/\/.*$/, ''))
    .filter(line => !/^\s*\/?\*/.test(line))
}

const listed = new Set(rows.flatMap(({ files }) => files))

t.test('docs/security.md lists every file that calls foreign code', async t => {
  const found = new Set<string>()
  for (const [what, pattern] of Object.entries(calls)) {
    const files = sourcesWith(pattern)
    t.ok(files.length > 0, `${what}: the pattern still finds something`)
    for (const file of files) {
      found.add(file)
      t.ok(listed.has(file), `${what} is called in ${file}, which the table does not name`)
    }
  }
  for (const file of listed) t.ok(found.has(file), `${file} is in the table, and calls foreign code`)
})

t.test('docs/security.md lists every option that is, or contains, a function of others', async t => {
  const code = rows.map(row => row.code).join('\n')
  for (const name of ['resource-server', 'token-client'] as const) {
    const options = foreignOptionsOf(name)
    t.ok(options.length > 2, `${name}: ${options.join()}`)
    for (const option of options) t.match(code, new RegExp(`\`${option}\``), option)
  }
})

/** Options whose type says that they are a function or an object with methods, by the API report. */
function foreignOptionsOf(name: string): readonly string[] {
  const foreign =
    /=>|Dispatcher|Provided<|SignAssertion|ClientCertificate|Store(?:Options)?\b|InterceptorOptions|TokenSource/
  const interfaces = [...read(`docs/api/${name}.api.md`).matchAll(/export interface \w+Options\b[^]*?\n\}/g)]
  return interfaces
    .flatMap(([text]) => Array.from(text.matchAll(/^ {4}(\w+)\??: (.+);$/gm)))
    .filter(([, , type = '']) => foreign.test(type))
    .map(([, option = '']) => option)
}

/** The `bounds` of a simulation, as they are written in its source. */
function boundsIn(file: string): Readonly<Record<string, number>> {
  const [, text = ''] = /export const bounds = \{([^]*?)\} as const/.exec(read(file)) ?? []
  const entries = [...text.matchAll(/^\s*(\w+): ([\d_.]+),$/gm)]
  return Object.fromEntries(
    entries.map(([, name = '', value = '']) => [name, Number(value.replaceAll('_', ''))]),
  )
}

for (const [place, file] of Object.entries({
  'packages/resource-server/test/simulation': 'packages/resource-server/test/simulation/key-world.ts',
  'packages/resource-server/test/simulation/revocation-world.ts':
    'packages/resource-server/test/simulation/revocation-world.ts',
  'packages/token-client/test/simulation': 'packages/token-client/test/simulation/token-world.ts',
}))
  t.test(`docs/security.md states the bounds that ${file} checks`, async t => {
    const [, section = ''] = page.split(`(\`${place}\`)`)
    const [table = ''] = section.split('\n**')
    const stated = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` +\| +([\d.]+) +\| .{20,} \|$/gm)]
    const bounds = boundsIn(file)
    t.ok(Object.keys(bounds).length > 1)
    t.strictSame(Object.fromEntries(stated.map(([, bound, value]) => [bound, Number(value)])), bounds)
  })

t.test('examples guard their subscribers', async t => {
  const guides = filesBelow('docs', '.md').filter(page => !page.startsWith('docs/api/'))
  const pages = [...guides, ...filesBelow('packages', 'README.md'), 'README.md']
  let found = 0
  for (const file of pages)
    for (const [block] of read(file).matchAll(/^```ts[^]*?^```/gm))
      if (/\bsubscribe\(/.test(block)) {
        found += 1
        t.match(block, /subscribe\([^]*?=> \{\s+try \{/, file)
        t.equal(block.split('subscribe(').length, block.split('try {').length, file)
      }
  t.ok(found > 2, `${found} examples`)
})
