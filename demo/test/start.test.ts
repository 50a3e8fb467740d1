import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDatabase } from '#src/database/database.js'
import { isFirstStart, prepareFolder } from '#src/database/prepare-folder.js'

/** `demo/dist/start.js`, as `pnpm demo` runs it; without the loaders that tap hands to its children. */
async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string }> {
  const { NODE_OPTIONS: _loaders, ...inherited } = process.env
  const child = spawn(process.execPath, ['demo/dist/start.js', ...args], {
    env: { ...inherited, NO_COLOR: '1', ...env },
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, out }
}

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test(
  'the first start creates the database in a thread, and gives it its name when it is whole',
  async t => {
    const folder = makeFolder(t)
    const database = { folder: join(folder, 'deep', 'database') }
    t.ok(isFirstStart(database))
    // Two that start at once, as two processes could: one is quicker, both have a database.
    await Promise.all([prepareFolder(database), prepareFolder(database)])
    t.notOk(isFirstStart(database))
    t.notOk(isFirstStart({ ...database, url: 'postgres://elsewhere' }))
    t.strictSame(readdirSync(join(folder, 'deep')), ['database'], 'nothing is left over')
    const opened = await openDatabase(database)
    t.strictSame(await opened.query('select 1 as one'), [{ one: 1 }])
    await opened.close()
  },
)

t.test('one purchase from the command line leaves a receipt', async t => {
  const folder = makeFolder(t)
  const file = join(folder, 'receipt.pdf')
  const { code, out } = await run(['--once', '--out', file], { DEMO_FOLDER: folder })
  t.equal(code, 0, out)
  t.match(out, 'Creating the database')
  t.match(out, /Paid, and the receipt is here/)
  t.equal(readFileSync(file).subarray(0, 5).toString(), '%PDF-')
  t.notMatch(out, /eyJ[\w-]+\.eyJ/)

  await t.test('and the doctor is content', async t => {
    const doctor = await run(['doctor'], { DEMO_FOLDER: folder })
    t.equal(doctor.code, 0, doctor.out)
    t.match(doctor.out, 'All is well')
  })
})

t.test('what cannot be understood is said, with what could', async t => {
  const folder = makeFolder(t)
  for (const [args, expected] of [
    [['docter'], /there is no docter[^]*pnpm demo doctor/],
    [['--out', 'x.pdf'], /--out belongs to --once/],
    [['--onec'], /Unknown option '--onec'/],
    [['--replicas', '3'], /--replicas belongs to --processes/],
    [['--processes', '--replicas', 'many'], /--replicas is many; it wants a number from 1 to 16/],
    [['--processes'], /--processes needs DATABASE_URL/],
    [['serve'], /there is no serve/],
    [['serve', 'paymnets'], /there is no service paymnets, only storefront, payments, receipts/],
    [['serve', 'payments'], /ISSUER is needed/],
    [['--env', join(folder, 'nowhere.env')], /nowhere\.env/],
  ] as const) {
    const { code, out } = await run(args, { DATABASE_URL: '', ISSUER: '' })
    t.equal(code, 1, args.join(' '))
    t.match(out, expected)
  }
  const { code, out } = await run(['doctor'], { ISSUER: 'https://login.example.com', DEMO_FOLDER: folder })
  t.equal(code, 1)
  t.match(out, 'ISSUER is set, so')
  t.notOk(existsSync(join(folder, 'database')), 'and nothing is created')
  const help = await run(['--help'])
  t.equal(help.code, 0)
  t.match(help.out, 'pnpm demo doctor')
})
