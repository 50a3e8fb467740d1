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

const lines = readFileSync(record, 'utf8')
// The terse reporter may lose a failure among the coverage table; whoever reads the log wants its name.
for (const [, name] of lines.matchAll(/^ *not ok \d+ - (.*)$/gm)) console.log(`not ok: ${name}`)

const count = word => Number(lines.match(new RegExp(`^# \\{[^]*?\\b${word}: (\\d+)`, 'm'))?.[1] ?? 0)
// A line of its own: a reporter may end with a control sequence for the terminal and no newline.
console.log(`\n${count('pass')} passed, ${count('fail')} failed, ${count('skip') + count('todo')} skipped`)
process.exitCode = status ?? 1
