// A tap program: each file given as an argument is a subtest, and a process of its own, run by plain `node`.
// `tap run` and `t.spawn` would load module hooks into each process and into its children (TypeScript, mocks, process
// info), for which compiled files have no use. Writes TAP to stdout, and the counts of each file to TEST_SUMMARY.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { limitTime, timeLimitSeconds } from './time-limit.mjs'

// Tests also wait, so one more file than there are cores keeps the cores busy.
const jobs = Number(process.env.TEST_JOBS) || Math.min(4, availableParallelism() + 1)
const waiting = process.argv.slice(2)
/** File → its counts. */
const summary = {}

/** Runs one file as a subtest. A problem that none of its assertions reports becomes a failed assertion. */
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

/** What is wrong with a file without a failed assertion; undefined if nothing is, or if an assertion reports it. */
function problemOf({ isTooLate, code, signal, ok, tests, fail }) {
  if (isTooLate) return `exceeded the limit of ${timeLimitSeconds} s`
  if (fail > 0) return undefined
  if (signal !== null) return `was ended by ${signal}`
  if (code !== 0) return `ended with exit code ${code}`
  if (!ok) return 'wrote TAP that is incomplete'
  // tap reports a file without any assertion as skipped.
  return tests === 0 ? 'has no tests' : undefined
}

function tellProgress(file, seconds) {
  if (process.stderr.isTTY) return // tap's reporter shows it
  const { pass, fail } = summary[file]
  const ok = fail === 0 ? 'ok    ' : 'not ok'
  console.error(`${ok} ${seconds.toFixed(1).padStart(6)} s ${String(pass + fail).padStart(5)} tests  ${file}`)
}

async function runWaitingFiles() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runFile(file)
}

/** Subtest → its counts of assertions, nested ones included. */
const counts = new Map()
t.on('subtestEnd', test => counts.set(test.name, test.counts))
t.jobs = jobs
t.setTimeout(0) // each file has its own limit
await Promise.all(Array.from({ length: jobs }, runWaitingFiles))
writeFileSync(process.env.TEST_SUMMARY, JSON.stringify(summary))
t.end()
