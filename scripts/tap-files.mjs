// A tap program that runs each file given as an argument as a subtest, in its own process with plain `node`. `tap run`
// and `t.spawn` would load hooks for TypeScript, mocks and process info into each process, which compiled files do not
// need. Writes TAP to stdout, and the counts of each file to TEST_SUMMARY.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { limitTime, timeLimitSeconds } from './time-limit.mjs'

// One more file than there are cores, because tests also wait.
const jobs = Number(process.env.TEST_JOBS) || Math.min(4, availableParallelism() + 1)
const waiting = process.argv.slice(2)
/** File → its counts. */
const summary = {}

/** Runs one file as a subtest. A problem that no assertion reports, such as a crash, becomes a failed assertion. */
async function runFile(file) {
  const started = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(timeLimitSeconds) },
  })
  const stopLimit = limitTime(file, child)
  const ended = once(child, 'close')
  const results = t.stdin(file, { tapStream: child.stdout.pipe(new PassThrough()), buffered: true })
  const [code, signal] = await ended
  const isTooLate = stopLimit()
  const { ok } = await results
  const { pass, fail, skip, todo } = counts.get(file)
  const problem = problemOf({ isTooLate, code, signal, ok, tests: pass + fail + skip + todo, fail })
  if (problem !== undefined) t.fail(`${file} ${problem}`, { at: null, stack: '' })
  summary[file] = { pass, fail: fail + (problem === undefined ? 0 : 1), skip: skip + todo }
  tellProgress(file, (performance.now() - started) / 1000)
}

/** Returns a problem that no failed assertion reports, if there is one. */
function problemOf({ isTooLate, code, signal, ok, tests, fail }) {
  if (isTooLate) return `exceeded the limit of ${timeLimitSeconds} s`
  if (fail > 0) return undefined
  if (signal !== null) return `was ended by ${signal}`
  if (code !== 0) return `ended with exit code ${code}`
  if (!ok) return 'wrote TAP that is incomplete'
  // tap reports a file without assertions as skipped.
  return tests === 0 ? 'has no tests' : undefined
}

function tellProgress(file, seconds) {
  if (process.stderr.isTTY) return // tap's reporter shows the progress
  const { pass, fail } = summary[file]
  const ok = fail === 0 ? 'ok    ' : 'not ok'
  console.error(`${ok} ${seconds.toFixed(1).padStart(6)} s ${String(pass + fail).padStart(5)} tests  ${file}`)
}

async function runWaitingFiles() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runFile(file)
}

/** Subtest → counts of its assertions, including those of nested tests. */
const counts = new Map()
t.on('subtestEnd', test => counts.set(test.name, test.counts))
t.jobs = jobs
t.setTimeout(0) // each file has its own time limit
await Promise.all(Array.from({ length: jobs }, runWaitingFiles))
writeFileSync(process.env.TEST_SUMMARY, JSON.stringify(summary))
t.end()
