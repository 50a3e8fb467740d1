import { openPglite } from './pglite.js'
import { openPostgres } from './postgres.js'

/** Where a service keeps its data: a PostgreSQL server, or a folder for the embedded one. */
export interface DatabaseConfig {
  /** A PostgreSQL connection URL; wins over `folder`. */
  readonly url?: string | undefined
  /** The folder of the embedded PostgreSQL (PGlite). */
  readonly folder: string
}

/** Runs SQL, inside or outside a transaction. */
export interface Queryable {
  /** One statement with its parameters; resolves to its rows. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Any number of statements without parameters. */
  exec(sql: string): Promise<void>
}

/** A PostgreSQL, embedded or a server. */
export interface Database extends Queryable {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the database; the caller closes it. */
export function openDatabase(config: DatabaseConfig): Promise<Database> {
  return config.url === undefined ? openPglite(config.folder) : openPostgres(config.url)
}
