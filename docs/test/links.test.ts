import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { filesBelow, read, root } from './repository.js'

/**
 * Where a link may lead outside this repository. Standards, anywhere; and what a page is about: an issuer's own
 * manual on that issuer's page, a package's own page. No mirror, no blog, no short link.
 */
const standards = new Set(['www.rfc-editor.org', 'openid.net', 'www.w3.org', 'spec.openapis.org'])
const elsewhere: readonly (readonly [page: RegExp, hosts: readonly string[]])[] = [
  [/^docs\/issuers\//, ['learn.microsoft.com', 'www.keycloak.org', 'auth0.com', 'developer.okta.com']],
  [/^docs\/issuers\//, ['docs.aws.amazon.com', 'github.com', 'docs.github.com', 'docs.cloud.google.com']],
  [/^docs\/issuers\//, ['www.ory.com', 'zitadel.com', 'developer.pingidentity.com', 'kubernetes.io']],
  [/^docs\/issuers\/spiffe/, ['spiffe.io', 'cert-manager.io', 'datatracker.ietf.org']],
  [/./, ['www.npmjs.com', 'nodejs.org', 'undici.nodejs.org', 'opentelemetry.io', 'modelcontextprotocol.io']],
  [/^CODE_OF_CONDUCT\.md$/, ['www.contributor-covenant.org']],
  [/^docs\/api\//, ['api-extractor.com']],
]

const pages = filesBelow('.', '.md').filter(page => !page.startsWith('.changeset/'))

/** A page without its code: what a browser shows as text. */
function prose(page: string): string {
  return read(page)
    .replaceAll(/^ *```[^]*?^ *```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, code => code.replaceAll(/[[\]()]/g, '·'))
}

function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? '')
}

/** The anchors that GitHub and npm make of a page's headings. */
function anchorsOf(page: string): Set<string> {
  const seen = new Map<string, number>()
  const headings = read(page)
    .replaceAll(/^ *```[^]*?^ *```$/gm, '')
    .matchAll(/^#{1,6} +(.+)$/gm)
  const named = [...read(page).matchAll(/<a id="([^"]+)">/g)].map(match => match[1] ?? '')
  return new Set([
    ...named,
    ...[...headings].map(([, heading = '']) => {
      const anchor = heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')
      const count = seen.get(anchor) ?? 0
      seen.set(anchor, count + 1)
      return count === 0 ? anchor : `${anchor}-${count}`
    }),
  ])
}

/** What is wrong with a link to a place in this repository; undefined: nothing. */
function problemInside(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (target.startsWith('..')) return 'leaves the repository'
  if (!existsSync(join(root, target))) return 'leads nowhere'
  if (anchor === undefined) return undefined
  const file = statSync(join(root, target)).isDirectory() ? join(target, 'README.md') : target
  return anchorsOf(file).has(anchor) ? undefined : `${file} has no heading for #${anchor}`
}

function problemOutside(page: string, link: string): string | undefined {
  const { protocol, host, hostname } = new URL(link)
  // What the demo serves on the reader's own machine.
  if (hostname === '127.0.0.1') return page === 'demo/README.md' ? undefined : 'is on this machine'
  if (protocol !== 'https:') return 'is not https'
  if (standards.has(host)) return undefined
  const allowed = elsewhere.some(([pattern, hosts]) => pattern.test(page) && hosts.includes(host))
  return allowed ? undefined : 'is neither a standard nor what this page is about'
}

t.test('every link leads to a place in this repository, or to a public standard', async t => {
  let followed = 0
  for (const page of pages) {
    const problems = linksOf(page).flatMap(link => {
      followed += 1
      const problem = /^[a-z]+:/i.test(link) ? problemOutside(page, link) : problemInside(page, link)
      return problem === undefined ? [] : [`${link} ${problem}`]
    })
    t.strictSame(problems, [], page)
  }
  t.ok(followed > 100, 'links are found at all')
})

t.test('every page of the documentation can be reached from the README', async t => {
  const reached = new Set<string>()
  const open = ['README.md']
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    if (reached.has(page)) continue
    reached.add(page)
    for (const link of linksOf(page).filter(target => !/^[a-z]+:|^#/i.test(target))) {
      const target = join(dirname(page), link.split('#')[0] ?? '')
      const file = statSync(join(root, target)).isDirectory() ? join(target, 'README.md') : target
      if (file.endsWith('.md') && existsSync(join(root, file))) open.push(file)
    }
  }
  const meant = pages.filter(page => !/^\.github\/|\.api\.md$/.test(page))
  t.strictSame(
    meant.filter(page => !reached.has(page)),
    [],
  )
})

t.test('every path that a page names in `code` is there', async t => {
  const roots =
    'packages|demo|docs|benchmarks|scripts|\\.ci|\\.github|resource-server|token-client|test-issuer|declared-options'
  const pattern = new RegExp(`\`((?:${roots})/[\\w./-]+)\``, 'g')
  for (const page of pages) {
    const missing = [...read(page).matchAll(pattern)]
      .map(match => match[1] ?? '')
      .filter(path => !existsSync(join(root, path)) && !existsSync(join(root, 'packages', path)))
    t.strictSame(missing, [], page)
  }
})

t.test('the comparison is dated, and the short tables of the README repeat rows of it', async t => {
  const whole = tablesOf(read('docs/comparison.md'))
  const [, section = ''] = read('README.md').split(/^## Comparison$/m)
  const short = tablesOf(section)
  t.equal(whole.length, 2)
  t.equal(short.length, 2)
  for (const [index, here] of short.entries())
    for (const [row, cells] of here.rows)
      for (const [at, cell] of cells.entries()) {
        const { columns, rows } = whole[index]!
        const column = here.columns[at]!
        t.equal(cell, rows.get(row)?.[columns.indexOf(column)], `${row} · ${column}`)
      }
  for (const { rows } of whole) t.ok(rows.get('version read')?.every(version => version !== ''))
  t.match(read('docs/comparison.md'), /as of \w+ 20\d\d/)
  t.match(section, /As of \w+ 20\d\d/)
})

interface Table {
  readonly columns: readonly string[]
  readonly rows: ReadonlyMap<string, readonly string[]>
}

/** Tables whose first column has no heading. */
function tablesOf(section: string): Table[] {
  return [...section.matchAll(/^\|(?: +\|)[^]*?(?=\n\n|\n?$(?![^]))/gm)].map(([table]) => {
    const [columns = [], , ...rows] = table
      .trim()
      .split('\n')
      .map(line => line.split('|').slice(1, -1))
      .map(cells => cells.map(cell => cell.trim()))
    return {
      columns: columns.slice(1),
      rows: new Map(rows.map(([name = '', ...cells]) => [name, cells])),
    }
  })
}
