import t from 'tap'
import { filesBelow, read } from './repository.js'

const page = read('docs/operating.md')
const plugins = ['resource-server', 'token-client'] as const

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort()

/** The rows of the tables in a section, each as its cells. */
function rowsOf(title: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split(`\n## ${title}\n`)
  return (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter(line => line.startsWith('| '))
    .map(line => line.split(/ +\| +|^\| +| +\|$/).slice(1, -1))
}

const codeIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

t.test('the table of channels has every event with its fields', async t => {
  const declared = plugins.flatMap(name => {
    const [, body = ''] =
      /export interface \w+Events \{\n([^]*?)\n\}/.exec(read(`packages/${name}/src/diagnostics.ts`)) ?? []
    return [...body.matchAll(/'(fastify-[\w:-]+)': \{([^]*?)\}/g)].map(
      ([, event = '', fields = '']): [string, string[]] => [
        event,
        [...fields.matchAll(/readonly (\w+)\??:/g)].map(([, field = '']) => field),
      ],
    )
  })
  t.ok(declared.length > 10)
  const rows = rowsOf('Metrics').filter(([cell = '']) => cell.startsWith('`fastify-'))
  const documented = rows.map(([event = '', , fields = '']): [string, string[]] => [
    codeIn(event)[0]!,
    codeIn(fields),
  ])
  t.strictSame(Object.fromEntries(documented), Object.fromEntries(declared))
})

/** Every public error code, with the status that Fastify's default error handler answers with. */
function declaredCodes(): Readonly<Record<string, string>> {
  const made = plugins.flatMap(name => {
    const source = read(`packages/${name}/src/errors.ts`)
    return [
      ...source.matchAll(/(?:createError|refusal)\(\s*'([A-Z_]+)',\s*(?:'[^'\n]*'|"[^"\n]*"),\s*(\d+)/g),
    ].map(([, code, status]) => [code, status])
  })
  const classes = ['api-contract/src/errors.ts', 'api-contract-tools/src/openapi/errors.ts'].flatMap(file =>
    read(`packages/${file}`)
      .split(/^export class /m)
      .map(text => [/code: string = '(\w+)'/.exec(text)?.[1], /statusCode: number = (\d+)/.exec(text)?.[1]])
      .filter(([code]) => code !== undefined)
      .map(([code, status = '–']) => [code, status]),
  )
  return Object.fromEntries([...made, ...classes]) as Record<string, string>
}

t.test('the tables of error codes have every public code with its status', async t => {
  const rows = rowsOf('Error codes').filter(([cell = '']) => /^`[A-Z_]+`$/.test(cell))
  t.strictSame(
    Object.fromEntries(rows.map(([code = '', status]) => [codeIn(code)[0], status])),
    declaredCodes(),
  )
  for (const [code, , when = '', what = ''] of rows)
    t.ok(when.length > 10 && what.length > 5, `${code}: when it occurs, and what to do`)
})

interface LogCall {
  readonly level: string
  readonly messages: readonly string[]
  /** Undefined if the source does not list them where it logs. */
  readonly fields: readonly string[] | undefined
}

/** The calls of a logger in a source file. */
function logCallsIn(source: string): readonly LogCall[] {
  return [...source.matchAll(/\blog\.(info|warn|error)\(/g)].map(({ index, 0: call, 1: level = '' }) => {
    const rest = source.slice(index + call.length)
    const given = rest.slice(0, closingParenthesis(rest))
    const [, object] = /^\s*\{([^{}.]*(?:\w\.\w[^{}.]*)*)\},/.exec(given) ?? []
    return {
      level,
      messages: [...given.matchAll(/'([^'\n]* [^'\n]*)'(?!')|"([^"\n]+)"/g)].map(
        ([, single, double]) => single ?? double ?? '',
      ),
      fields: object
        ?.split(',')
        .map(member => member.split(':')[0]!.trim())
        .filter(name => name !== ''),
    }
  })
}

function closingParenthesis(text: string): number {
  let depth = 1
  for (const { index, 0: parenthesis } of text.matchAll(/[()]/g)) {
    depth += parenthesis === '(' ? 1 : -1
    if (depth === 0) return index
  }
  return text.length
}

t.test('the table of log lines has every message with its level and fields', async t => {
  const calls = plugins.flatMap(name =>
    filesBelow(`packages/${name}/src`, '.ts').flatMap(file => logCallsIn(read(file))),
  )
  t.ok(calls.length > 10)
  const rows = rowsOf('Log lines').filter(([level = '']) => /^(info|warn|error)$/.test(level))
  const documented = rows.flatMap(([level = '', message = '', fields = '']) => {
    const [, text = ''] = /^`(.+)`/.exec(message.replace(/ \(.*\)$/, '')) ?? []
    return text.split('`, `').map(each => ({ line: `${level}: ${each}`, fields: codeIn(fields) }))
  })
  t.strictSame(
    sorted(documented.map(({ line }) => line)),
    sorted(calls.flatMap(({ level, messages }) => messages.map(message => `${level}: ${message}`))),
  )
  for (const { level, messages, fields } of calls)
    for (const message of messages) {
      const row = documented.find(({ line }) => line === `${level}: ${message}`)
      if (fields !== undefined) t.strictSame(row?.fields, fields, message)
    }
})

t.test('the table of `stats()` has every member', async t => {
  const declared = [...read('packages/resource-server/src/stats.ts').matchAll(/^ {2}readonly (\w+)/gm)]
  const rows = rowsOf('Counts').filter(([cell = '']) => cell.startsWith('`'))
  t.strictSame(
    sorted(rows.flatMap(([member = '']) => codeIn(member)[0]!.split(/\W+/).slice(-1))),
    sorted(declared.map(([, member = '']) => member)),
  )
})
