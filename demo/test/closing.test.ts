import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { copyDatabase } from './database-template.js'

const module = new URL('../dist/close-on-signal.js', import.meta.url).href

/** Runs a script in a process that uses `closeOnSignal`. */
function run(script: string): { child: ChildProcess; ended: Promise<{ code: number | null; said: string }> } {
  const { NODE_OPTIONS: _loaders, ...env } = process.env
  const code = `import { closeOnSignal } from ${JSON.stringify(module)}\n${script}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { ...env, NO_COLOR: '1' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += String(chunk)))
  return { child, ended: new Promise(resolve => child.once('close', code => resolve({ code, said }))) }
}

const forever = `setInterval(() => {}, 1_000); console.log('ready')`

t.test('an unhandled error closes the demo, then ends it with the stack', async t => {
  const { code, said } = await run(
    `closeOnSignal(async () => console.log('closed'), 5_000); ${forever}
     function breakIt() { throw new TypeError('broken') }; setTimeout(breakIt)`,
  ).ended
  t.equal(code, 1)
  t.match(said, /The demo ends because of an unexpected error[^]*TypeError: broken\n +at .*breakIt/)
  t.match(said, 'closed')
})

t.test('Ctrl+C prints a message at once, and a second Ctrl+C ends the process', async t => {
  const { child, ended } = run(`closeOnSignal(() => new Promise(() => {}), 60_000); ${forever}`)
  let signals = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    const isNext = String(chunk).includes(signals === 0 ? 'ready' : 'Closing')
    if (isNext && signals < 2) signals += Number(child.kill('SIGINT'))
  })
  const { code, said } = await ended
  t.equal(code, 1)
  t.match(
    said,
    /Closing: running requests finish first\. Press Ctrl\+C again[^]*Ended at once\. Payments are safe/,
  )
})

t.test('closing stops at its time limit and reports it', async t => {
  const { code, said } = await run(
    `const close = closeOnSignal(() => new Promise(() => {}), 10); ${forever}; close()`,
  ).ended
  t.equal(code, 1)
  t.match(said, 'Closing took longer than 0.01 s')
})

t.test('a closed pipe is not an error: demo --once | head -1', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await copyDatabase(join(folder, 'database'))
  const { NODE_OPTIONS: _loaders, ...env } = process.env
  const child = spawn(process.execPath, ['demo/dist/start.js', '--once'], {
    env: { ...env, NO_COLOR: '1', DEMO_FOLDER: folder },
  })
  child.stdout.once('data', () => child.stdout.destroy())
  let errors = ''
  child.stderr.on('data', chunk => (errors += String(chunk)))
  const code = await new Promise(resolve => child.once('exit', resolve))
  t.equal(code, 0, errors)
  t.notMatch(errors, 'EPIPE')
})
