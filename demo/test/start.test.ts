import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { parseCommandLine } from '#src/command-line.js'
import { usualPorts } from '#src/config.js'
import { loadConfig } from '#src/load-config.js'
import { isFirstStart, prepareFolder } from '#src/database/prepare-folder.js'
import { tryUsualPorts } from '#src/ports.js'
import { copyDatabase } from './database-template.js'

interface Started {
  readonly process: ChildProcess
  /** Returns its output so far. */
  readonly out: () => string
  /** Resolves when its output contains the text; rejects if it ends first. */
  readonly until: (text: string) => Promise<void>
  readonly ended: Promise<number | null>
}

/** Starts `demo/dist/start.js`, as `pnpm demo` does, without tap's loaders. */
function start(args: readonly string[], env: Record<string, string> = {}): Started {
  const { NODE_OPTIONS: _loaders, ...inherited } = process.env
  const child = spawn(process.execPath, ['demo/dist/start.js', ...args], {
    env: { ...inherited, NO_COLOR: '1', ...env },
  })
  let out = ''
  const heard = new EventEmitter()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      heard.emit('more')
    })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (out.includes(text)) resolve()
      }
      heard.on('more', look)
      look()
      void ended.then(() => reject(new Error(`ended without saying “${text}”: ${out}`)))
    })
  return { process: child, out: () => out, until, ended }
}

async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string }> {
  const child = start(args, env)
  return { code: await child.ended, out: child.out() }
}

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Creates a folder with a file instead of a database. */
const quickProgram = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { mkdirSync, writeFileSync } from 'node:fs'
    import { workerData } from 'node:worker_threads'
    mkdirSync(workerData, { recursive: true })
    writeFileSync(workerData + '/by', workerData)
  `)}`,
)

t.test('the first start creates the database under a temporary name, then renames it', async t => {
  const folder = makeFolder(t)
  const database = { folder: join(folder, 'deep', 'database') }
  t.ok(isFirstStart(database))
  t.notOk(isFirstStart({ ...database, url: 'postgres://elsewhere' }))
  await prepareFolder(database, quickProgram)
  t.notOk(isFirstStart(database))
  const first = readFileSync(join(database.folder, 'by'), 'utf8')
  t.not(first, database.folder)
  t.strictSame(readdirSync(join(folder, 'deep')), ['database'], 'no temporary folder is left')

  await t.test('it keeps a database that another process has created meanwhile', async t => {
    await prepareFolder(database, quickProgram)
    t.strictSame(readdirSync(join(folder, 'deep')), ['database'], 'no temporary folder is left')
    t.equal(readFileSync(join(database.folder, 'by'), 'utf8'), first)
  })
})

t.test('the thread that creates the database ends without an error', async t => {
  const folder = join(makeFolder(t), 'database')
  // To open a database takes less time than to create one.
  await copyDatabase(folder)
  const worker = new Worker(new URL('../dist/database/prepare-worker.js', import.meta.url), {
    workerData: folder,
    execArgv: [],
  })
  const [code] = (await once(worker, 'exit')) as [number]
  t.equal(code, 0)
})

t.test('one purchase from the command line leaves a receipt', async t => {
  const folder = makeFolder(t)
  const file = join(folder, 'receipt.pdf')
  const { code, out } = await run(['--once', '--out', file], { DEMO_FOLDER: folder })
  t.equal(code, 0, out)
  t.match(out, 'Creating the database')
  t.match(out, /Paid, and the receipt is here/)
  t.equal(readFileSync(file).subarray(0, 5).toString(), '%PDF-')
  t.notMatch(out, /eyJ[\w-]+\.eyJ/)
  t.strictSame(readdirSync(folder), ['database', 'receipt.pdf'], 'no temporary folder and no lock is left')

  await t.test('the doctor finds no problem', async t => {
    const doctor = await run(['doctor'], { DEMO_FOLDER: folder })
    t.equal(doctor.code, 0, doctor.out)
    t.match(doctor.out, 'All checks passed')
  })
})

t.test('two demos that start at the same time use different free ports, on this machine only', async t => {
  // Occupied by this test, unless another program uses the port already.
  const squatter = createServer()
  await new Promise<void>(resolve => {
    squatter.once('error', () => resolve()).listen(usualPorts.storefront, '127.0.0.1', resolve)
  })
  t.teardown(() => squatter.close())

  const demos = await Promise.all(
    [makeFolder(t), makeFolder(t)].map(async folder => {
      await copyDatabase(join(folder, 'database'))
      return { folder, child: start([], { DEMO_FOLDER: folder }) }
    }),
  )
  t.teardown(() => demos.forEach(({ child }) => child.process.kill('SIGKILL')))
  await Promise.all(demos.map(({ child }) => child.until('Ctrl+C closes the shop')))
  const ports = demos.flatMap(({ child }) =>
    [...child.out().matchAll(/^ {4}[A-Z][\w ]+ +http:\/\/127\.0\.0\.1:(\d+) /gm)].map(([, port]) => port),
  )
  t.equal(ports.length, 4)
  t.equal(new Set(ports).size, 4)

  for (const { folder, child } of demos) {
    const addresses = [...child.out().matchAll(/http:\/\/([\d.]+):(\d+)/g)]
    t.ok(addresses.length >= 4, 'each service prints its address')
    t.ok(addresses.every(([, host]) => host === '127.0.0.1'))
    const moved = /Port (\d+) is taken by another program, so storefront uses (\d+)/.exec(child.out())
    t.equal(moved?.[1], String(usualPorts.storefront))
    const shop = /Shop +http:\/\/127\.0\.0\.1:(\d+) +← open this/.exec(child.out())?.[1]
    t.equal(shop, moved?.[2])
    t.match(await (await fetch(`http://127.0.0.1:${shop}`)).text(), 'Books worth a second voyage')
    // On Linux every address in 127/8 is this machine: a server that listens on all addresses would answer.
    if (process.platform === 'linux')
      await t.rejects(fetch(`http://127.0.0.2:${shop}`), 'the demo only listens on 127.0.0.1')
    await child.until('for receipts, from the issuer, by the Client Credentials Grant')
    t.match(child.out(), /→ token requested +for receipts/, 'printed after the welcome')

    if (child === demos[0]?.child) {
      const second = await run(['--once'], { DEMO_FOLDER: folder })
      t.equal(second.code, 1, 'another process cannot open the database')
      t.match(second.out, `is open in process ${child.process.pid}: a demo is running already`)
    }

    child.process.kill('SIGINT')
    t.equal(await child.ended, 0, child.out())
    t.match(child.out(), 'Closing: running requests finish first')
    t.strictSame(readdirSync(folder), ['cookie-secret', 'database'], 'no lock is left')
    await t.rejects(fetch(`http://127.0.0.1:${shop}`), 'nothing listens any more')
  }
})

t.test('ports are chosen again if another program takes one first', async t => {
  const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
  let attempts = 0
  const { moved } = await tryUsualPorts(async chosen => {
    attempts += 1
    // More often than there are services, as when several demos start at the same time.
    if (attempts < 10) throw taken
    return chosen
  })
  t.equal(attempts, 10)
  t.ok(Array.isArray(moved))

  await t.rejects(
    tryUsualPorts(() => Promise.reject(taken)),
    taken,
    'it gives up in the end',
  )
  const broken = new Error('the database is broken')
  attempts = 0
  const failing = tryUsualPorts(() => {
    attempts += 1
    return Promise.reject(broken)
  })
  await t.rejects(failing, broken)
  t.equal(attempts, 1, 'other errors are reported at once')
})

const limits = (threads: string) => loadConfig(usualPorts, { RENDERER_THREADS: threads }).receipts.render

t.test('RENDERER_THREADS sets the number of threads', async t => {
  t.equal(loadConfig(usualPorts).receipts.render, undefined)
  t.equal(limits(''), undefined)
  t.strictSame(limits('4'), { threads: 4 })
  for (const wrong of ['0', '17', '1.5', 'many'])
    t.throws(() => limits(wrong), {
      message: `RENDERER_THREADS is "${wrong}"; expected a whole number from 1 to 16`,
    })
})

t.test('invalid arguments are reported with the valid ones', async t => {
  for (const [args, message] of [
    [['docter'], /there is no command docter[^]*pnpm demo doctor/],
    [['serve'], /there is no command serve/],
    [['--out', 'x.pdf'], /--out needs --once/],
    [['--replicas', '3'], /--replicas needs --processes/],
  ] as const)
    t.throws(() => parseCommandLine(args), { message })
})

t.test('invalid arguments and variables end the process with a message', async t => {
  const folder = makeFolder(t)
  for (const [args, expected] of [
    [['--once', '--out', join(folder, 'nowhere', 'x.pdf')], /--out: cannot write .*x\.pdf: ENOENT/],
    [['--onec'], /Unknown option '--onec'\n\npnpm demo /],
    [['--processes', '--replicas', 'many'], /--replicas is many; expected a whole number from 1 to 16/],
    [['--processes'], /--processes needs DATABASE_URL/],
    [['serve', 'paymnets'], /there is no service paymnets, only storefront, payments, receipts/],
    [['serve', 'payments'], /ISSUER is needed/],
    [['--env', join(folder, 'nowhere.env')], /--env: there is no file .*nowhere\.env\n\npnpm demo /],
  ] as const) {
    const { code, out } = await run(args, { DATABASE_URL: '', ISSUER: '' })
    t.equal(code, 1, args.join(' '))
    t.match(out, expected)
  }
  const { code, out } = await run(['doctor'], { ISSUER: 'https://login.example.com', DEMO_FOLDER: folder })
  t.equal(code, 1)
  t.match(out, 'ISSUER is set, so')
  t.notOk(existsSync(join(folder, 'database')), 'no database is created')
  const help = await run(['--help'])
  t.equal(help.code, 0)
  t.match(help.out, 'pnpm demo doctor')
})
