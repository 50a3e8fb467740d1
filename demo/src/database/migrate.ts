import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { openDatabase, type Database, type DatabaseConfig, type Queryable } from './database.js'

/** Opens the database and updates the schema of one service; the caller closes the database. */
export async function openMigrated(config: DatabaseConfig, schema: string, folder: URL): Promise<Database> {
  const database = await openDatabase(config)
  try {
    await migrate(database, schema, folder)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/**
 * Updates the schema of one service: runs each new `*.sql` file of a folder, in the order of their names, in one
 * transaction. Several processes may call it at the same time.
 * @throws if a file has changed since it was run
 */
async function migrate(database: Database, schema: string, folder: URL): Promise<void> {
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort()
  await database.transaction(async tx => {
    // All schemas share one key, so replicas that start together wait here for each other.
    await tx.query('select pg_advisory_xact_lock(7243392)')
    await tx.exec(
      `create schema if not exists ${schema};
       create table if not exists ${schema}.migration (
         name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
    )
    for (const name of files)
      await apply(tx, schema, { name, sql: readFileSync(new URL(name, folder), 'utf8') })
  })
}

async function apply(tx: Queryable, schema: string, file: { name: string; sql: string }): Promise<void> {
  const sha256 = createHash('sha256').update(file.sql).digest('hex')
  const [applied] = await tx.query<{ sha256: string }>(
    `select sha256 from ${schema}.migration where name = $1`,
    [file.name],
  )
  if (applied === undefined) {
    await tx.exec(file.sql)
    await tx.query(`insert into ${schema}.migration (name, sha256) values ($1, $2)`, [file.name, sha256])
  } else if (applied.sha256 !== sha256) {
    throw new Error(`${schema}: migration ${file.name} was changed after it had run; add a new file instead`)
  }
}
