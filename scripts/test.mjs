// Runs tap on the compiled tests; the last line is the count, whatever the reporter shows.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'

const record = '.tap/last-run.tap'
mkdirSync('.tap', { recursive: true })
const reporter = process.stdout.isTTY ? [] : ['--reporter=terse']
const args = ['run', `--output-file=${record}`, ...reporter, ...process.argv.slice(2)]
const { status } = spawnSync('node_modules/.bin/tap', args, {
  stdio: 'inherit',
  shell: process.platform === 'win32',
})

const count = word =>
  Number(readFileSync(record, 'utf8').match(new RegExp(`^# \\{[^]*?\\b${word}: (\\d+)`, 'm'))?.[1] ?? 0)
// A line of its own: a reporter may end with a control sequence for the terminal and no newline.
console.log(`\n${count('pass')} passed, ${count('fail')} failed, ${count('skip') + count('todo')} skipped`)
process.exitCode = status ?? 1
