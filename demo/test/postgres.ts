import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Test } from 'tap'
import { until } from './until.js'

const root = '/usr/lib/postgresql'
const programs = (existsSync(root) ? readdirSync(root) : [])
  .map(version => join(root, version, 'bin'))
  .find(folder => existsSync(join(folder, 'initdb')))

/** Options for `t.test` that skip the test if PostgreSQL is not installed. */
export const needsPostgres = programs === undefined ? { skip: 'postgresql is not installed' } : {}

/** PostgreSQL does not run as root, so the user of Debian's package is used. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  return { uid: idOf('-u'), gid: idOf('-g') }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
}

/** Starts a PostgreSQL server, which ends with the test; resolves to its connection URL. */
export async function startPostgres(t: Test): Promise<string> {
  if (programs === undefined) throw new Error('postgresql is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-postgres-'))
  const user = owner()
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const asOwner = { ...user, cwd: folder, stdio: 'ignore' } as const
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'bookstore', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
    asOwner,
  )
  // A socket in the server's folder needs no port that another program could take.
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    asOwner,
  )
  const ended = new Promise(resolve => server.once('exit', resolve))
  t.teardown(async () => {
    // Fast shutdown: open connections are closed.
    server.kill('SIGINT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `postgres://bookstore@localhost/postgres?host=${encodeURIComponent(folder)}`
  await until('an answer of PostgreSQL', () => answers(url))
  return url
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
