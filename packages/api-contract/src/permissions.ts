import type { ApiUse } from './define-api.js'
import type { Method, Operation } from './operation.js'

/** One operation that a client may call. */
export interface Permission {
  readonly client: string
  readonly audience: string
  readonly operation: string
  readonly method: Method
  readonly path: string
  readonly scopes: Operation['scopes']
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

/** Who may call what with which scopes, sorted: `permissions({ payment: [receiptsApi.pick('putReceipt')] })`. */
export function permissions(
  clients: Readonly<Record<string, readonly Pick<ApiUse, 'audience' | 'operations'>[]>>,
): PermissionTable {
  const rows = Object.entries(clients)
    .flatMap(([client, uses]) => uses.map(use => ({ client, ...use })))
    .flatMap(({ client, audience, operations }) =>
      Object.entries(operations).map(([operation, { method, path, scopes }]): Permission => ({
        client,
        audience,
        operation,
        method,
        path,
        scopes,
      })),
    )
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const grants = new Map<string, Set<string>>()
  for (const { client, audience, scopes } of rows) {
    const key = JSON.stringify([client, audience])
    const known = grants.get(key) ?? []
    grants.set(key, new Set([...known, ...(scopes === 'public' ? [] : scopes)]))
  }
  return {
    permissions: rows,
    grants: [...grants].map(([key, scopes]) => {
      const [client, audience] = JSON.parse(key) as [string, string]
      return { client, audience, scopes: [...scopes].sort() }
    }),
    toString: () => asText(rows),
  }
}

function keyOf({ client, audience, operation }: Permission): string {
  return [client, audience, operation].join('\n')
}

function asText(rows: readonly Permission[]): string {
  const cells = rows.map(({ client, audience, operation, method, path, scopes }) => [
    client,
    audience,
    operation,
    `${method} ${path}`,
    scopes === 'public' ? 'public' : scopes.join(' ') || 'any token',
  ])
  const lines = [['client', 'audience', 'operation', 'request', 'scopes'], ...cells]
  const widthOf = (column: number): number => Math.max(...lines.map(line => line[column]?.length ?? 0))
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widthOf(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
