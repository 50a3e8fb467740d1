import { Pool, type PoolClient } from 'pg'
import type { Database, Queryable } from './database.js'
import { serverError } from './database-error.js'

/**
 * Connects to a PostgreSQL server with a pool; fails at once when it cannot be reached.
 * @throws {DatabaseError}
 */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 })
  // A server that goes away ends idle connections; the pool opens new ones when it is back.
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
        // A connection that could not even roll back is not given to anyone else.
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
