// Checks the packages as they would be published: exports, types and the API reference. Also finds unused code.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const failed = []
function check(name, command, args) {
  console.log(`\n# ${name}`)
  const { status } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' })
  if (status !== 0) failed.push(name)
}

for (const folder of readdirSync('packages')) {
  check(`${folder}: package.json against the files in it`, 'publint', ['--strict', `packages/${folder}`])
  check(`${folder}: types for ESM consumers`, 'attw', [
    '--pack',
    `packages/${folder}`,
    '--profile',
    'esm-only',
  ])
}
check('nothing unused', 'knip', [])

console.log('\n# the API reference matches the sources')
if (spawnSync(process.execPath, ['docs/api.mjs', '--check'], { stdio: 'inherit' }).status !== 0)
  failed.push('the API reference')

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(' · ')}`)
  process.exitCode = 1
}
