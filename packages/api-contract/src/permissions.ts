import type { ApiUse } from './define-api.js'
import type { Operation } from './operation.js'

/** One operation that a client may call. */
export interface Permission extends Pick<Operation, 'method' | 'path' | 'scopes'> {
  readonly client: string
  readonly audience: string
  readonly operation: string
}

/** `JSON.stringify` gives both lists, `String` a table. */
export interface PermissionTable {
  readonly permissions: readonly Permission[]
  /** What an issuer has to allow. */
  readonly grants: readonly {
    readonly client: string
    readonly audience: string
    readonly scopes: readonly string[]
  }[]
  toString(): string
}

/** Who may call what with which scopes: `permissions({ payment: [used] })`. */
export function permissions(
  clients: Readonly<Record<string, readonly Pick<ApiUse, 'audience' | 'operations'>[]>>,
): PermissionTable {
  const rows = Object.entries(clients)
    .flatMap(([client, uses]) =>
      uses.flatMap(({ audience, operations }) =>
        Object.entries(operations).map(([operation, { method, path, scopes }]): Permission => ({
          client,
          audience,
          operation,
          method,
          path,
          scopes,
        })),
      ),
    )
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const grants = new Map<string, { client: string; audience: string; scopes: readonly string[] }>()
  for (const { client, audience, scopes } of rows) {
    const key = `${client} ${audience}`
    const all = [...(grants.get(key)?.scopes ?? []), ...(scopes === 'public' ? [] : scopes)]
    grants.set(key, { client, audience, scopes: [...new Set(all)].sort() })
  }
  return { permissions: rows, grants: [...grants.values()], toString: () => asText(rows) }
}

const keyOf = ({ client, audience, operation }: Permission): string =>
  [client, audience, operation].join('\n')

const columns = ['client', 'audience', 'operation', 'method', 'path', 'scopes'] as const

function asText(rows: readonly Permission[]): string {
  const textOf = (row: Permission, column: keyof Permission): string =>
    [row[column]].flat().join(' ') || 'any token'
  const padded = columns.map(column => {
    const cells = [column, ...rows.map(row => textOf(row, column))]
    const width = Math.max(...cells.map(cell => cell.length))
    return cells.map(cell => cell.padEnd(width))
  })
  return ['', ...rows]
    .map((_, line) =>
      padded
        .map(cells => cells[line])
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
