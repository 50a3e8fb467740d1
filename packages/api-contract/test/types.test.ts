import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type * as TypeScript from 'typescript-6'
import { generateContract } from './generate-contract.js'

// Three compilers need more than tap's 30 seconds on a busy machine.
t.setTimeout(600_000)

const root = fileURLToPath(new URL('..', import.meta.url))
const types = join(root, 'test/types')
const compilers = {
  '5.9': 'node_modules/typescript-5/bin/tsc',
  '6': 'node_modules/typescript-6/bin/tsc',
  '7': '../../node_modules/.bin/tsc',
}
// TypeScript 7 does not have a JavaScript API for its language service yet.
const ts = createRequire(import.meta.url)('typescript-6') as typeof TypeScript

/** Runs a compiler without the loaders that tap sets in NODE_OPTIONS. */
function compile(compiler: string, args: string[]): { status: number | null; stdout: string } {
  return spawnSync('env', ['-u', 'NODE_OPTIONS', join(root, compiler), ...args], { encoding: 'utf8' })
}

for (const [version, compiler] of Object.entries(compilers))
  t.test(`TypeScript ${version} accepts every use and rejects every mistake`, async t => {
    const { status, stdout } = compile(compiler, ['-p', types])
    t.equal(status, 0, stdout)
  })

/** Writes a program to a folder where the compiler finds the packages. */
function writeProgram(t: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(root, '.test/program-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const compilerOptions = {
    composite: false,
    declaration: false,
    sourceMap: false,
    noEmit: true,
    noUnusedLocals: false,
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, '../../tsconfig.base.json'),
      compilerOptions,
      files: Object.keys(files),
    }),
  )
  return folder
}

const callers = `import { createTokenClient } from 'fastify-token-client'
import { receiptsApi } from './receipts-api.js'
const options = { baseUrl: 'https://receipts.example.com', issuer: 'https://login.example.com', clientId: 'x' }
const { call } = createTokenClient({ ...options, api: receiptsApi.pick('putReceipt', 'getReceipt') })
const put = await call('putReceipt', { params: { paymentId: '1' }, body: { title: 'x', cents: 1 } })
if (put.status === 409) put.body.title satisfies string
const got = await call('getReceipt', { params: { paymentId: '1' } })
got.body.number satisfies string
receiptsApi.pick('getReceipt').scopes satisfies readonly string[]
`

t.test('a change of the contract breaks exactly the affected callers', async t => {
  const contract = readFileSync(join(types, 'receipts-api.ts'), 'utf8')
  const changes: [from: string, to: string, brokenLines: number[]][] = [
    ['cents: Type.Integer', 'amount: Type.Integer', [5]],
    ['409: Problem }', '422: Problem }', [6]],
    ['title: Type.String(), code', 'detail: Type.String(), code', [6]],
    ['number: Type.String()', 'number: Type.Integer()', [8]],
    ['    getReceipt: {', '    readReceipt: {', [4, 7, 8, 9]],
    ['responses: { 200: Receipt }', 'query: Order, responses: { 200: Receipt }', [7]],
    ['Problem = Type.Object({', 'Problem = Type.Object({ more: Type.String(),', []],
  ]
  // One program for all changes, because each start of the compiler takes seconds.
  const files: Record<string, string> = {}
  for (const [index, [from, to]] of changes.entries()) {
    const changed = contract.replace(from, to)
    t.not(changed, contract)
    files[`receipts-api-${index}.ts`] = changed
    files[`callers-${index}.ts`] = callers.replace('./receipts-api.js', `./receipts-api-${index}.js`)
  }
  const { stdout } = compile(compilers['7'], ['-p', writeProgram(t, files)])
  const broken = [...stdout.matchAll(/callers-(\d+)\.ts\((\d+),/g)].map(([, index, line]) => [
    Number(index),
    Number(line),
  ])
  for (const [index, [, to, brokenLines]] of changes.entries()) {
    const lines = broken.filter(([of]) => of === index).map(([, line]) => line)
    t.strictSame([...new Set(lines)].sort(), brokenLines, `${to}\n${stdout}`)
  }
})

const byHand = `import fastify from 'fastify'
import 'fastify-resource-server'
import { receiptsApi } from './receipts-api.js'
declare module 'fastify-resource-server' {
  interface OAuthTypes { scopes: keyof typeof receiptsApi.scopes }
}
const app = fastify()
app.get('/files/1', { config: { oauth: { scopes: ['receipts:read'] } } }, async () => 1)
app.put('/files/1', { config: { oauth: { scopes: ['receipts:write'] } } }, async () => 1)
app.get('/files/2', { config: { oauth: { scopes: receiptsApi.operations.getReceipt.scopes } } }, async () => 1)
receiptsApi.route('getReceipt', async () => ({ status: 200, body: { number: '1', currency: 'EUR' } } as const))
`

t.test('a change of a scope breaks exactly the code that names the scope', async t => {
  const contract = readFileSync(join(types, 'receipts-api.ts'), 'utf8')
  const brokenBy = (changed: string): string[] => {
    t.not(changed, contract)
    const folder = writeProgram(t, {
      'receipts-api.ts': changed,
      'callers.ts': callers,
      'by-hand.ts': byHand,
    })
    const { stdout } = compile(compilers['7'], ['-p', folder])
    return [...stdout.matchAll(/([\w-]+\.ts)\((\d+),/g)].map(([, file = '', line]) => `${file} ${line}`)
  }
  t.strictSame(brokenBy(`${contract}\n`), [], 'all of it is right')
  const catalogue = brokenBy(contract.replace(`'receipts:read': `, `'receipts:get': `))
  for (const [index, line] of contract.split('\n').entries())
    if (/scopes: \[.*'receipts:read'/.test(line))
      t.ok(catalogue.includes(`receipts-api.ts ${index + 1}`), line)
  const everywhere = brokenBy(contract.replaceAll(`'receipts:read'`, `'receipts:get'`))
  t.strictSame(everywhere, ['by-hand.ts 8'], 'everywhere in the contract')
  const moved = brokenBy(contract.replace(`scopes: ['receipts:write']`, `scopes: ['receipts:read']`))
  t.strictSame(moved, [], 'callers of an operation do not name its scopes')
})

t.test('editors complete operations and scopes, and show method, path and scopes', async t => {
  const file = join(types, 'receipts-api.ts')
  const uses = join(types, 'editing.ts')
  const text = `import { answer, type Client } from 'fastify-api-contract'
import { receiptsApi } from './receipts-api.js'
declare const client: Client
const used = receiptsApi.pick('putReceipt', 'deleteReceipt').over(client)
void used.call('putReceipt', { params: { paymentId: '1' }, body: { title: '', cents: 1 } })
receiptsApi.route('deleteReceipt', () => answer(204))
void used.call('')
`
  const config = ts.getParsedCommandLineOfConfigFile(
    join(types, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} },
  )
  const service = ts.createLanguageService({
    getCompilationSettings: () => config?.options ?? {},
    getScriptFileNames: () => [uses],
    getScriptVersion: () => '1',
    getScriptSnapshot: name => {
      const content = name === uses ? text : ts.sys.readFile(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: options => ts.getDefaultLibFilePath(options),
    fileExists: name => name === uses || ts.sys.fileExists(name),
    readFile: name => (name === uses ? text : ts.sys.readFile(name)),
    directoryExists: name => ts.sys.directoryExists(name),
  })
  const hover = (at: string): string =>
    ts.displayPartsToString(service.getQuickInfoAtPosition(uses, text.indexOf(at) + at.length)?.displayParts)
  t.match(hover('used.ca'), 'PUT /receipts/:paymentId · receipts:write')
  t.match(hover('receiptsApi.ro'), 'DELETE /receipts/:paymentId · receipts:read receipts:write')
  const names = service
    .getCompletionsAtPosition(uses, text.indexOf(`call('')`) + 6, {})
    ?.entries.map(entry => entry.name)
  t.strictSame(names?.sort(), ['deleteReceipt', 'putReceipt'])
  const contract = ts.sys.readFile(file) ?? ''
  const scopes = service.getCompletionsAtPosition(file, contract.indexOf(`['receipts:write']`) + 2, {})
  t.strictSame(scopes?.entries.map(entry => entry.name).sort(), ['receipts:read', 'receipts:write'])
})

t.test('200 operations, with calls and routes, take less than a second', async t => {
  const work = (count: number): number => {
    const folder = writeProgram(t, { 'contract.ts': generateContract(count) })
    const { status, stdout } = compile(compilers['7'], [
      '-p',
      folder,
      '--singleThreaded',
      '--extendedDiagnostics',
    ])
    t.equal(status, 0, stdout)
    return Number(/^Instantiations: +(\d+)/m.exec(stdout)?.[1])
  }
  // Counts instead of measuring time, because the count does not depend on the machine. 190,000 take 0.4 s on one core of 2026.
  const added = work(200) - work(4)
  t.ok(added < 250_000, `${added} type instantiations`)
})
