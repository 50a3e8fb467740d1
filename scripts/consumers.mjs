// Installs the packed packages into a new project, as a user does, and uses them with `import` and `require`, on each
// supported Node release, and with each supported TypeScript release.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { gunzipSync } from 'node:zlib'

const nodes = ['20.19', '22', '24', '26']
const typescripts = ['5.9', '6.0', '7.0']

/** Files that a tarball may contain. */
const allowed = /^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md|(dist|lib)\/.+\.(js|cjs|d\.c?ts))$/

/** Maximum size of a package in bytes, packed and unpacked. */
const sizeLimits = {
  'declared-options': { packed: 14_000, unpacked: 65_000 },
  'resource-server': { packed: 135_000, unpacked: 610_000 },
  'token-client': { packed: 66_000, unpacked: 305_000 },
  'api-contract': { packed: 9_999, unpacked: 50_000 },
  'api-contract-tools': { packed: 24_000, unpacked: 110_000 },
  'issuer-connection': { packed: 20_000, unpacked: 85_000 },
  'test-issuer': { packed: 43_000, unpacked: 200_000 },
}

const project = mkdtempSync(join(tmpdir(), 'consumer-'))
const failed = []

function step(name, action) {
  process.stdout.write(`${name} … `)
  try {
    console.log(action() ?? 'ok')
  } catch (error) {
    console.log(`failed\n${error.message}`)
    failed.push(name)
  }
}

function run(command, args, cwd = project) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return { stdout, stderr }
}

/** Packs with pnpm, because npm does not replace `catalog:` and `workspace:` with versions. */
function pack(folder) {
  const pnpm = process.env.npm_execpath
  if (!pnpm?.includes('pnpm')) throw new Error('Run this as `pnpm check:consumers`')
  // Depending on its installation, pnpm is an executable or a script.
  const [command, first] = /\.[cm]?js$/.test(pnpm) ? [process.execPath, [pnpm]] : [pnpm, []]
  const { stdout } = run(command, [...first, 'pack', '--json', '--pack-destination', project], folder)
  return resolve(project, JSON.parse(stdout).filename)
}

function checkTarball(file, limits) {
  const names = run('tar', ['-tzf', file]).stdout.trim().split('\n')
  const strangers = names.filter(entry => !allowed.test(entry))
  if (strangers.length > 0) throw new Error(`unexpected: ${strangers.join(', ')}`)
  const { dependencies, peerDependencies, exports } = JSON.parse(
    run('tar', ['-xzOf', file, 'package/package.json']).stdout,
  )
  const { '.': main } = exports
  const entries = typeof main === 'string' ? [main] : Object.values(main)
  for (const needed of ['./README.md', './LICENSE', ...entries])
    if (!names.includes(join('package', needed))) throw new Error(`missing: ${needed}`)
  for (const [name, range] of Object.entries({ ...dependencies, ...peerDependencies }))
    if (/^(workspace|catalog):/.test(range)) throw new Error(`${name} has the range ${range}`)

  const content = readFileSync(file)
  const sizes = { packed: content.length, unpacked: gunzipSync(content).length }
  for (const [state, limit] of Object.entries(limits))
    if (sizes[state] > limit) throw new Error(`${sizes[state]} bytes ${state}, the limit is ${limit}`)
  return `${sizes.packed} bytes packed, ${sizes.unpacked} unpacked`
}

const tarballs = readdirSync('packages').map(name => {
  const file = pack(resolve('packages', name))
  step(`${name}: the tarball holds what it should`, () => checkTarball(file, sizeLimits[name]))
  return file
})

writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
step(
  'npm installs the tarballs',
  () =>
    void run('npm', [
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...tarballs,
      'fastify@5',
      '@types/node@20',
    ]),
)

/** Compiles a library that exports values of the packages, and an application that uses the library. */
const compilerOptions = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  types: ['node'],
  composite: true,
  declaration: true,
}
const folders = {
  library: { sources: ['consumer-library.ts'], references: [] },
  src: {
    sources: ['consumer.ts', 'consumer-unrelated.ts', 'consumer-of-library.ts'],
    references: ['library'],
  },
}
for (const [folder, { sources, references }] of Object.entries(folders)) {
  mkdirSync(join(project, folder))
  for (const source of sources) copyFileSync(new URL(source, import.meta.url), join(project, folder, source))
  const outDir = folder === 'src' ? '../out' : `../out-${folder}`
  const config = {
    compilerOptions: { ...compilerOptions, rootDir: '.', outDir, tsBuildInfoFile: `${outDir}/.tsbuildinfo` },
    references: references.map(name => ({ path: `../${name}` })),
  }
  writeFileSync(join(project, folder, 'tsconfig.json'), JSON.stringify(config))
}
for (const version of typescripts)
  step(
    `TypeScript ${version} compiles consumers, their declarations and unrelated code`,
    () => void run('npx', ['--yes', '-p', `typescript@${version}`, 'tsc', '-b', '--force', 'src']),
  )

writeFileSync(
  join(project, 'required.cjs'),
  `for (const name of ['fastify-resource-server', 'fastify-token-client'])
  if (typeof require(name).default !== 'function') throw new Error(name)
if (typeof require('oauth-test-issuer').createTestIssuer !== 'function') throw new Error('oauth-test-issuer')`,
)
for (const version of nodes) {
  const node = ['--yes', '-p', `node@${version}`, 'node']
  step(`Node ${version}: import`, () => void run('npx', [...node, 'out/consumer.js']))
  step(`Node ${version}: require, without a warning`, () => {
    const { stderr } = run('npx', [...node, '--throw-deprecation', '--trace-warnings', 'required.cjs'])
    if (stderr.includes('Warning')) throw new Error(stderr)
  })
}

step('the command of oauth-test-issuer says what it can', () => {
  const { stdout } = run('npx', ['--no', '--', 'oauth-test-issuer', '--help'])
  if (!stdout.includes('--audience URI')) throw new Error(stdout)
})

step(
  'npm installs esbuild',
  () => void run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '-D', 'esbuild@0.28']),
)
copyFileSync(new URL('consumer-bundled.ts', import.meta.url), join(project, 'consumer-bundled.ts'))
/** Fastify and undici are CommonJS modules, which need `require` for Node's modules. */
const requireInEsm =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"
for (const { format, extension, banner } of [
  { format: 'esm', extension: 'mjs', banner: requireInEsm },
  { format: 'cjs', extension: 'cjs', banner: '' },
])
  step(`an esbuild bundle (${format}) runs in an empty folder`, () => {
    const empty = mkdtempSync(join(tmpdir(), 'bundle-'))
    const output = [`--outfile=${join(empty, `app.${extension}`)}`, `--format=${format}`]
    const options = ['--bundle', '--platform=node', '--log-level=error', `--banner:js=${banner}`]
    run('npx', ['--no', 'esbuild', 'consumer-bundled.ts', ...options, ...output])
    const { stdout } = run(process.execPath, [`app.${extension}`], empty)
    rmSync(empty, { recursive: true })
    if (stdout.trim() !== '200 200 401') throw new Error(`${stdout.trim()}, expected 200 200 401`)
  })

const runners = {
  'node:test': { first: "import test from 'node:test'", command: ['node', '--test', '--test-reporter=spec'] },
  tap: { first: "import { test } from 'tap'", command: ['npx', '--no', 'tap', 'run', '--disable-coverage'] },
  vitest: { first: "import { test } from 'vitest'", command: ['npx', '--no', 'vitest', 'run'] },
}
step(
  'npm installs test runners',
  () =>
    void run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '-D', 'tap@21', 'vitest@4']),
)
for (const [runner, { first, command }] of Object.entries(runners))
  step(`expectProtected under ${runner}: passes, and says readably what is open`, () => {
    const [program, ...args] = command
    const file = `${runner.replace(':', '-')}.test.mjs`
    const body = readFileSync(new URL('consumer.test.mjs', import.meta.url), 'utf8')
    writeFileSync(join(project, file), `${first}\n${body}`)
    run(program, [...args, file])
    const { status, stdout, stderr } = spawnSync(program, [...args, file], {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, OPEN: 'yes', NO_COLOR: '1' },
    })
    const output = stripVTControlCharacters(`${stdout}${stderr}`)
    if (status === 0) throw new Error('an open route passes')
    if (!/^\W*GET \/open returned 200 for every request, both without a token/m.test(output))
      throw new Error(output)
  })

rmSync(project, { recursive: true, force: true })
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(' · ')}`)
  process.exitCode = 1
}
