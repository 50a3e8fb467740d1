import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { openBookstore } from '#src/bookstore.js'
import { usualPorts } from '#src/config.js'
import { withCookieSecret } from '#src/cookie-secret.js'
import { folderError, serverError } from '#src/database/database-error.js'
import { openDatabase } from '#src/database/database.js'
import { prepareFolder } from '#src/database/prepare-folder.js'
import { examine, type Finding } from '#src/doctor/doctor.js'
import { loadConfig } from '#src/load-config.js'
import { readable, serviceLog } from '#src/operations/service-log.js'
import { day, timeOfDay } from '#src/storefront/money.js'
import { chooseFreePorts } from '#src/ports.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { copyDatabase } from './database-template.js'

function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('a restart keeps carts and orders, and charges once', async t => {
  const folder = makeFolder(t)
  await copyDatabase(join(folder, 'database'))
  const env = withCookieSecret({ DEMO_FOLDER: folder, LOG_LEVEL: 'silent' })
  const ports = await chooseFreePorts()
  const url = `http://127.0.0.1:${ports.storefront}`
  const first = await openBookstore(loadConfig(ports, env))
  const [paying, waiting] = [await startBuying(url), await startBuying(url)]
  const order = randomUUID()
  const paid = (await paying.pay('test_visa', order)).headers.get('location') ?? ''
  await pageWithReceipt(url + paid)
  await first.close()

  const again = withCookieSecret({ DEMO_FOLDER: env['DEMO_FOLDER'], LOG_LEVEL: 'silent' })
  t.equal(again['COOKIE_SECRET'], env['COOKIE_SECRET'], 'the secret is the same')
  const second = await openBookstore(loadConfig(ports, again))
  t.teardown(() => second.close())

  t.match(await (await fetch(url + paid)).text(), 'The requests of this order are not kept any more')
  t.equal(
    (await paying.pay('test_visa', order)).headers.get('location'),
    paid,
    'submitted again: the same order',
  )
  const lost = await paying.pay('test_visa', order, {}, '')
  t.equal(lost.headers.get('location'), paid, 'also without the cart')
  t.equal((await waiting.pay('test_visa')).status, 303, 'a cart from before the restart is still valid')

  const fresh = randomUUID()
  const shown = await waiting.pay('test_visa', fresh, {}, '')
  t.equal(shown.status, 409, 'an unpaid cart is shown again and not charged')
  const page = await shown.text()
  t.match(page, /Your cart is empty now[^]*This form has charged nothing/)
  t.match(page, `value="${fresh}"`)
  t.match(page, 'The Lighthouse Ledger')
  const cookie = shown.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  t.equal((await waiting.pay('test_visa', fresh, {}, cookie)).status, 303)
  const declined = randomUUID()
  t.equal((await waiting.pay('test_declined', declined, {}, cookie)).status, 402)
  const anew = await waiting.pay('test_visa', declined, {}, '')
  t.equal(anew.status, 409)
  t.notMatch(await anew.text(), `value="${declined}"`, 'a declined order gets another key')
  t.equal((await waiting.pay('test_visa', fresh, { cart: '' }, '')).headers.get('location'), '/cart')
})

t.test('the cookie secret is stored for its owner only, or generated if it cannot be stored', async t => {
  const folder = join(makeFolder(t), 'deep')
  const { COOKIE_SECRET: secret = '' } = withCookieSecret({ DEMO_FOLDER: folder })
  t.ok(secret.length >= 32)
  t.equal(readFileSync(join(folder, 'cookie-secret'), 'utf8'), secret)
  if (process.platform !== 'win32') t.equal(statSync(join(folder, 'cookie-secret')).mode & 0o777, 0o600)
  t.equal(withCookieSecret({ DEMO_FOLDER: folder, COOKIE_SECRET: 'given' })['COOKIE_SECRET'], 'given')
  writeFileSync(join(folder, 'cookie-secret'), 'cut')
  const mended = withCookieSecret({ DEMO_FOLDER: folder })['COOKIE_SECRET']
  t.equal(mended?.length, secret.length, 'a truncated secret is replaced')
  writeFileSync(join(folder, 'file'), '')
  t.ok(withCookieSecret({ DEMO_FOLDER: join(folder, 'file') })['COOKIE_SECRET'])
})

t.test('a database that cannot be opened is reported with its remedy', async t => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), 'not a database')
  mkdirSync(join(folder, 'junk'))
  writeFileSync(join(folder, 'junk', 'PG_VERSION'), 'junk')
  for (const [name, message] of [
    ['file', /file cannot be opened: (it is damaged|a part of this path is a file)/],
    ['file/database', /cannot be opened: a part of this path is a file\.$/],
    ...(process.platform === 'linux'
      ? [['/proc/bookstore/database', /cannot be opened: the system does not allow a folder there/] as const]
      : []),
    ['junk', /junk cannot be opened: it is damaged, or was made by another version/],
  ] as const) {
    const opening = openDatabase({ folder: resolve(folder, name) })
    await t.rejects(opening, { name: 'Error', message, remedy: /DEMO_FOLDER/ }, name)
    await opening.catch(({ message: told }: Error) => t.notMatch(told, /object Object|undefined/))
  }
  await t.resolves(
    prepareFolder({ folder: join(folder, 'file', 'database') }),
    'preparing the database never rejects',
  )
  if (process.platform === 'linux')
    await t.resolves(prepareFolder({ folder: '/proc/bookstore/database' }), 'preparing ends under /proc')
  if (process.getuid?.() !== 0) {
    mkdirSync(join(folder, 'closed'))
    chmodSync(join(folder, 'closed'), 0o500)
    await t.rejects(openDatabase({ folder: join(folder, 'closed', 'database') }), {
      message: /no write permission/,
    })
  }
  for (const [code, why] of [
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'the disk is read-only'],
    ['EACCES', 'the user has no write permission there'],
  ] as const)
    t.match(folderError('/data', Object.assign(new Error('x'), { code })).message, why)
  t.match(
    folderError('/data', { errno: 28 }).message,
    'errno 28',
    'PGlite throws objects that are not errors',
  )
  t.match(
    folderError('/data', { errno: 51 }).message,
    'the disk is full',
    'PGlite uses the error numbers of WASI',
  )
  t.match(folderError('/data', undefined).message, 'unknown reason')

  const url = 'postgres://reader:hunter2@127.0.0.1:1/bookstore'
  await t.rejects(openDatabase({ url, folder: '' }), {
    message: 'The PostgreSQL server at 127.0.0.1:1 cannot be used: no server listens there.',
    remedy: /Start PostgreSQL/,
  })
  const error = serverError(
    'postgres://reader:hunter2@db/bookstore',
    Object.assign(new Error(), { code: '3D000' }),
  )
  t.equal(error.message, 'The PostgreSQL server at db:5432 cannot be used: it has no such database.')
  for (const wrong of ['nonsense', 'http://127.0.0.1', 'hunter2@host/db'])
    t.throws(() => loadConfig(usualPorts, { DATABASE_URL: wrong }), {
      message: /^DATABASE_URL is not the URL of a PostgreSQL server, such as postgres:(?!.*hunter2)/,
    })
})

t.test('the doctor reports the same error', async t => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const findings = new Map<string, Finding>()
  const isWell = await examine({ DEMO_FOLDER: join(folder, 'file') }, (subject, finding) =>
    findings.set(subject, finding),
  )
  t.notOk(isWell)
  t.match(findings.get('Database'), {
    isWell: false,
    found: /a part of this path is a file/,
    remedy: /DEMO_FOLDER/,
  })
  t.notOk(existsSync(join(folder, 'file', 'database')))
})

const plain = (text: string): string => stripVTControlCharacters(text)

t.test('all times of a purchase are in the seller’s time zone', async t => {
  t.equal(day('2026-11-29T23:39:00Z'), '30 November 2026 at 00:39 CET')
  t.equal(day('2026-07-01T12:00:00Z'), '1 July 2026 at 14:00 CEST')
  t.equal(timeOfDay(Date.parse('2026-11-29T19:39:49Z')), '20:39:49')
})

t.test('service logs are JSON, or readable lines on a terminal', async t => {
  const line = {
    level: 40,
    name: 'payment-service',
    msg: 'receipt not delivered yet',
    reason: 'no token',
    delayMs: 512,
  }
  t.equal(
    plain(readable(JSON.stringify(line))),
    '  ! payment-service: receipt not delivered yet (no token); next try in 0.5 s\n',
  )
  t.equal(
    plain(readable(JSON.stringify({ level: 50, name: 'x', msg: 'request failed', err: { message: 'why' } }))),
    '  ✗ x: request failed (why)\n',
  )
  t.equal(readable('no JSON\n'), 'no JSON\n')
  t.strictSame(
    Object.keys(serviceLog('x', 'warn')),
    process.stdout.isTTY ? ['level', 'name', 'stream'] : ['level', 'name'],
  )
})

t.test('a port that another program takes during the start is reported', async t => {
  const ports = await chooseFreePorts()
  const squatter = createServer()
  await new Promise<void>(resolve => squatter.listen(ports.authorizationServer, '127.0.0.1', resolve))
  t.teardown(() => squatter.close())
  const config = loadConfig(ports, { DEMO_FOLDER: makeFolder(t), LOG_LEVEL: 'silent' })
  await t.rejects(openBookstore(config), { code: 'EADDRINUSE', port: ports.authorizationServer })
})
