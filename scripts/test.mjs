// pnpm test [part of a path …] [--coverage]: runs the compiled tests. The last line shows the number of assertions.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { collectCoverage } from './coverage.mjs'
import { selectTestFiles } from './test-files.mjs'

const tap = 'node_modules/tap/dist/esm/run.mjs'
const record = '.tap/last-run.tap'
const summaryFile = '.tap/last-run.json'
// `tap` empties `.tap/coverage` when it starts, so the data is in another folder.
const coverageFolder = resolve('.tap/v8-coverage')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { coverage: { type: 'boolean', default: false } },
})

async function main() {
  const files = selectTestFiles(positionals)
  for (const old of [record, summaryFile, coverageFolder]) rmSync(old, { recursive: true, force: true })
  mkdirSync('.tap', { recursive: true })
  const problems = await run(files)
  if (values.coverage) problems.push(...(await reportCoverage()))
  return { files, problems, summary: readSummary() }
}

/** Runs the files and prints the results with tap's reporter. Returns problems outside of tests, such as crashes. */
async function run(files) {
  const tests = spawn(process.execPath, ['scripts/tap-files.mjs', ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      TEST_SUMMARY: summaryFile,
      ...(values.coverage ? { NODE_V8_COVERAGE: coverageFolder } : {}),
    },
  })
  // Without a terminal, scripts/tap-files.mjs prints a line per file, and `min` adds the failures.
  const style = process.stdout.isTTY ? 'base' : 'min'
  const reporter = spawn(process.execPath, [tap, `--reporter=${style}`, '-'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  reporter.stdin.on('error', () => {}) // `ending` checks its exit code
  tests.stdout.pipe(reporter.stdin)
  tests.stdout.pipe(createWriteStream(record))
  return Promise.all([ending(tests, 'the test run'), ending(reporter, "tap's reporter")]).then(endings =>
    endings.filter(problem => problem !== undefined),
  )
}

async function ending(child, name) {
  const [code, signal] = await once(child, 'close')
  return code === 0 ? undefined : `${name} ended with ${signal ?? `exit code ${code}`}`
}

async function reportCoverage() {
  collectCoverage(coverageFolder, '.tap/coverage') // `tap report` reads this folder
  const report = spawn(process.execPath, [tap, 'report', 'text'], { stdio: 'inherit' })
  const problem = await ending(report, 'the coverage report')
  return problem === undefined ? [] : [problem]
}

/** File → counts; empty if the run ended before it wrote them. */
function readSummary() {
  try {
    return JSON.parse(readFileSync(summaryFile, 'utf8'))
  } catch {
    return {}
  }
}

function printCounts({ files, problems, summary }) {
  console.error() // the reporter may end without a newline
  const missing = files.filter(file => summary[file] === undefined)
  for (const file of Object.keys(summary)) if (summary[file].fail > 0) console.error(`not ok: ${file}`)
  for (const file of missing) console.error(`no result: ${file}`)
  for (const problem of problems) console.error(problem)
  const count = kind => Object.values(summary).reduce((sum, counts) => sum + counts[kind], 0)
  const failed = count('fail') + missing.length
  // The last line must not look like a success if a problem occurred outside of tests.
  const others = failed === 0 && (problems.length > 0 || count('pass') === 0) ? 1 : 0
  process.exitCode = failed + others === 0 ? 0 : 1
  console.log(`\n${count('pass')} passed, ${failed + others} failed, ${count('skip')} skipped`)
}

printCounts(await main().catch(error => ({ files: [], problems: [error.message], summary: {} })))
