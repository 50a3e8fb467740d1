import { openPglite } from './pglite.js'
import { openPostgres } from './postgres.js'

/** Where a service stores its data: on a PostgreSQL server, or in a folder for the embedded PostgreSQL. */
export interface DatabaseConfig {
  /** A PostgreSQL connection URL; takes precedence over `folder`. */
  readonly url?: string | undefined
  /** The folder of the embedded PostgreSQL (PGlite). */
  readonly folder: string
}

/** Runs SQL, inside or outside a transaction. */
export interface Queryable {
  /** Runs one statement with parameters and resolves to its rows. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs any number of statements without parameters. */
  exec(sql: string): Promise<void>
}

/** A PostgreSQL database, either embedded or on a server. */
export interface Database extends Queryable {
  /** Runs `work` in one transaction: commits if it resolves, rolls back if it rejects. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the database; the caller closes it. */
export function openDatabase(config: DatabaseConfig): Promise<Database> {
  return config.url === undefined ? openPglite(config.folder) : openPostgres(config.url)
}
