import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { PGlite, type Transaction } from '@electric-sql/pglite'
import type { Database, Queryable } from './database.js'
import { folderError } from './database-error.js'
import { lockFolder } from './folder-lock.js'
import { makeFolder } from './make-folder.js'

interface Open {
  readonly pglite: Promise<PGlite>
  readonly unlock: () => void
  users: number
}

/** One PGlite per folder: services in one process share it, because each takes 400 MB. */
const open = new Map<string, Open>()

/**
 * Opens the embedded PostgreSQL. No other process may have the folder open.
 * @throws {DatabaseError}
 */
export async function openPglite(folder: string): Promise<Database> {
  try {
    makeFolder(dirname(folder))
    const path = `${realpathSync(dirname(folder))}/${folder.split(/[\\/]/).at(-1)}`
    const entry = open.get(path) ?? start(path)
    entry.users += 1
    return databaseOf(path, entry, await entry.pglite)
  } catch (error) {
    throw folderError(folder, error)
  }
}

function databaseOf(path: string, entry: Open, pglite: PGlite): Database {
  return {
    ...queryable(pglite),
    transaction: work => pglite.transaction(tx => work(queryable(tx))),
    async close() {
      entry.users -= 1
      if (entry.users > 0) return
      open.delete(path)
      await pglite.close()
      entry.unlock()
    },
  }
}

function start(path: string): Open {
  const unlock = lockFolder(path)
  const pglite = PGlite.create(path)
  const entry: Open = { pglite, unlock, users: 0 }
  open.set(path, entry)
  pglite.catch(() => {
    open.delete(path)
    unlock()
  })
  return entry
}

function queryable(connection: PGlite | Transaction): Queryable {
  return {
    async query<Row>(sql: string, values: readonly unknown[] = []) {
      const { rows } = await connection.query<Row>(sql, [...values])
      return rows
    },
    async exec(sql) {
      await connection.exec(sql)
    },
  }
}
