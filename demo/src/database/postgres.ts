import { Pool, type PoolClient } from 'pg'
import type { Database, Queryable } from './database.js'
import { serverError } from './database-error.js'

/**
 * Opens a pool of connections to a PostgreSQL server.
 * @throws {DatabaseError} if the server cannot be reached
 */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 })
  // Idle connections fail when the server stops; the pool replaces them later.
  pool.on('error', () => {})
  await pool.query('select 1').catch(async (error: unknown) => {
    await pool.end()
    throw serverError(url, error)
  })
  return {
    ...queryable(pool),
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const result = await work(queryable(client))
        await client.query('commit')
        client.release()
        return result
      } catch (error) {
        const undone = await client.query('rollback').then(
          () => true,
          () => false,
        )
        // Discards a connection whose rollback failed.
        client.release(!undone)
        throw error
      }
    },
    close: () => pool.end(),
  }
}

function queryable(connection: Pool | PoolClient): Queryable {
  return {
    async query<Row>(sql: string, values: readonly unknown[] = []) {
      const { rows } = await connection.query(sql, [...values])
      return rows as Row[]
    },
    async exec(sql) {
      await connection.query(sql)
    },
  }
}
