import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { filesBelow, read, root } from './repository.js'

/** Blocks that are not TypeScript: what can be checked of them is. */
interface Block {
  readonly where: string
  readonly code: string
}

function blocksOf(language: string): Block[] {
  const pattern = new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm')
  return filesBelow('.', '.md')
    .filter(page => !page.startsWith('docs/api/'))
    .flatMap(page => {
      const text = read(page)
      return [...text.matchAll(pattern)].map(match => ({
        where: `${page}:${text.slice(0, match.index).split('\n').length}`,
        code: (match[2] ?? '').replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
      }))
    })
}

t.test('JavaScript, which shows how it was before, has no mistake of grammar', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'blocks-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const { where, code } of blocksOf('js')) {
    const file = join(folder, 'block.mjs')
    writeFileSync(file, code)
    const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' })
    t.equal(status, 0, status === 0 ? where : `${where}\n${stderr}`)
  }
})

t.test('JSON can be read; decoded tokens are two objects, a header and claims', async t => {
  const blocks = blocksOf('json')
  t.ok(blocks.length > 0)
  for (const { where, code } of blocks) {
    const objects = code.trim().split(/\n(?=\{)/)
    t.doesNotThrow(() => objects.map(text => JSON.parse(text) as unknown), where)
    if (!code.includes('"iss"')) continue
    const [header, claims] = objects.map(text => JSON.parse(text) as Record<string, unknown>)
    t.match(header, { alg: String, kid: String }, where)
    t.match(claims, { iss: String, iat: Number, exp: Number }, where)
    t.ok(Number(claims?.['exp']) > Number(claims?.['iat']), where)
  }
})

t.test('commands are ones that the shell, the workspace and the programs know', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const { packageManager } = JSON.parse(read('package.json')) as { packageManager: string }
  for (const { where, code } of blocksOf('sh')) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' })
    t.equal(status, 0, status === 0 ? where : `${where}: ${stderr}`)
    for (const [, version, script = ''] of code.matchAll(/npx --yes (pnpm@\S+) ([\w:]+)/g)) {
      t.equal(version, packageManager, `${where}: the same pnpm everywhere`)
      t.ok(script in scripts, `${where}: pnpm ${script}`)
    }
    for (const [, name = ''] of code.matchAll(/npm install (?:--save-dev )?((?:fastify-|oauth-)[\w-]+)/g))
      t.ok(
        filesBelow('packages', 'package.json').some(file => read(file).includes(`"name": "${name}"`)),
        `${where}: ${name}`,
      )
    const [, options = ''] = /npx oauth-test-issuer (.*)/.exec(code) ?? []
    for (const [option] of options.matchAll(/--[\w-]+/g))
      t.ok(read('packages/test-issuer/src/cli.ts').includes(`  ${option} `), `${where}: ${option}`)
  }
})

t.test('the pages name only scripts that there are', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const page of filesBelow('.', '.md'))
    for (const [, script = ''] of read(page).matchAll(/`pnpm ([a-z:]+)[^`]*`/g))
      t.ok(script in scripts, `${page}: pnpm ${script}`)
})

t.test('the complete test of a protected route takes fewer than 20 lines, and is run', async t => {
  const [, code = ''] = /^```ts run\n([^]*?)^```$/m.exec(read('packages/test-issuer/README.md')) ?? []
  t.match(code, 'expectProtected')
  t.match(code, /^test\(/m)
  t.ok(code.trim().split('\n').length < 20)
})

t.test('pictures are there, and say in words what they show', async t => {
  for (const page of filesBelow('.', '.md'))
    for (const [, words = '', path = ''] of read(page).matchAll(/!\[([^\]]*)\]\((?!https:)([^)]+)\)/g)) {
      t.ok(words.length > 10, `${page}: ${path}`)
      t.ok(existsSync(join(root, page, '..', path)), `${page}: ${path}`)
    }
})
