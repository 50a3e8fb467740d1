import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { filesBelow, read, root } from './repository.js'

/**
 * Each ```ts block of each page is a module of its own and has to compile as a reader would paste it. Then it is run,
 * and the applications it creates have to start, because options are checked at start-up and not by the compiler.
 * ```ts run blocks are complete programs: each runs in a process of its own and must end with exit code 0.
 * ```ts excerpt blocks continue with an `app` in which the resource server is registered.
 * A block with `declare module` changes types for its whole program, so it is compiled in a program of its own.
 */
interface Block {
  name: string
  page: string
  line: number
  /** How it is run. */
  kind: 'start' | 'run' | 'excerpt'
  code: string
}

const folder = join(root, 'docs/.blocks')

function blocksOf(page: string): Block[] {
  const text = read(page)
  return [...text.matchAll(/^```ts(?: (run|excerpt))?\n([^]*?)^```$/gm)].map((match, index) => ({
    name: `${page.replaceAll(/[^a-z0-9]+/gi, '-')}-${index + 1}`,
    page,
    line: text.slice(0, match.index).split('\n').length,
    kind: (match[1] ?? 'start') as Block['kind'],
    code: match[2] ?? '',
  }))
}

const blocks = filesBelow('.', '.md')
  .filter(page => !page.startsWith('docs/api/'))
  .flatMap(blocksOf)

function execute(command: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: folder })
    let output = ''
    child.stdout.on('data', chunk => (output += String(chunk)))
    child.stderr.on('data', chunk => (output += String(chunk)))
    child.on('close', code => resolve({ code, output }))
  })
}

function program(name: string, members: Block[]): string {
  const file = join(folder, `tsconfig.${name}.json`)
  writeFileSync(
    file,
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: {
        composite: false,
        declaration: false,
        sourceMap: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
        rootDir: '.',
        outDir: 'out',
      },
      files: ['around.d.ts', ...members.map(block => `${block.name}.ts`)],
    }),
  )
  return file
}

/** What a page may use without declaring it. */
const around = `
declare global {
  var app: import('fastify').FastifyInstance
}
export {}
`

t.before(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'around.d.ts'), around)
  for (const block of blocks) writeFileSync(join(folder, `${block.name}.ts`), `${block.code}\nexport {}\n`)
})

t.test('every code block in the docs compiles', async t => {
  const alone = blocks.filter(block => block.code.includes('declare module'))
  const together = blocks.filter(block => !alone.includes(block))
  const programs = [program('pages', together), ...alone.map(block => program(block.name, [block]))]
  // One process for all programs: `tsc -b` accepts several, and checks them in parallel.
  const { code, output } = await execute(join(root, 'node_modules/.bin/tsc'), ['-b', ...programs])
  const problems = output.replaceAll(/^([\w-]+)\.ts\((\d+),/gm, (whole, name: string, line: string) => {
    const block = blocks.find(candidate => candidate.name === name)
    return block === undefined ? whole : `${block.page}:${block.line + Number(line)} (`
  })
  t.equal(code, 0, problems || `${blocks.length} blocks in ${programs.length} programs`)
})

t.test('every runnable code block in the docs runs', async t => {
  for (const block of blocks.filter(candidate => candidate.kind === 'run')) {
    const { code, output } = await execute(process.execPath, [`out/${block.name}.js`])
    t.equal(code, 0, code === 0 ? `${block.page}:${block.line}` : `${block.page}:${block.line}\n${output}`)
  }
})

t.test('every other code block runs, and the applications it creates start', async t => {
  const started = blocks.filter(({ kind }) => kind !== 'run')
  const results = join(folder, 'problems.json')
  const fileOf = ({ name }: Block): string => pathToFileURL(join(folder, 'out', `${name}.js`)).href
  const examples = started.map(block =>
    JSON.stringify({ file: fileOf(block), excerpt: block.kind === 'excerpt' }),
  )
  const runner = fileURLToPath(new URL('start-blocks.js', import.meta.url))
  const { code, output } = await execute(process.execPath, [runner, results, ...examples])
  t.equal(code, 0, code === 0 ? 'the runner ends' : output)
  const problems = JSON.parse(readFileSync(results, 'utf8')) as Record<string, string>
  for (const block of started) t.equal(problems[fileOf(block)], undefined, `${block.page}:${block.line}`)
})
