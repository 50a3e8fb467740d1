import { inspect } from 'node:util'
import type { ApiUse, Operation } from 'fastify-api-contract'

/** One operation that a client may call. */
export interface Permission extends Pick<Operation, 'method' | 'path' | 'scopes'> {
  readonly client: string
  readonly audience: string
  readonly operation: string
}

/** The scopes that a client must be allowed to request for one audience. */
export interface Grant {
  readonly client: string
  readonly audience: string
  /** A sorted list of all scopes that the client needs for this audience. */
  readonly scopes: readonly string[]
}

/** A client with all its audiences and scopes, in the format of the `clients` option of oauth-test-issuer. */
export interface PermittedClient {
  readonly clientId: string
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
}

/**
 * The permissions of all clients. `JSON.stringify(table)` returns the permissions, grants and clients as JSON.
 * `String(table)` returns a table in plain text.
 */
export interface PermissionTable {
  /** The permissions, sorted by client, audience and operation. */
  readonly permissions: readonly Permission[]
  /** One grant for each combination of a client and an audience. */
  readonly grants: readonly Grant[]
  /** Each client, with all its audiences and scopes. */
  readonly clients: readonly PermittedClient[]
  toString(): string
}

/** Maps each client id to the operations that the client calls. Select these operations with `api.pick(…)`. */
export type Clients = Readonly<Record<string, readonly Pick<ApiUse, 'audience' | 'operations'>[]>>

/**
 * Lists which client may call which operation, and with which scopes.
 * @throws {TypeError} if the value for a client is not a list of objects returned by `api.pick(…)`
 *
 * @example
 * ```ts
 * const table = permissions({ payment: [receiptsApi.pick('putReceipt')] })
 * ```
 */
export function permissions(clients: Clients): PermissionTable {
  checkClients(clients)
  const rows = new Map<string, Permission>()
  for (const [client, uses] of Object.entries(clients))
    for (const { audience, operations } of uses)
      for (const [operation, { method, path, scopes }] of Object.entries(operations))
        rows.set(JSON.stringify([client, audience, operation]), {
          client,
          audience,
          operation,
          method,
          path,
          scopes,
        })
  // Compares strings by code unit, so that the order does not depend on the locale.
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  const grants = grantsOf(sorted)
  return { permissions: sorted, grants, clients: clientsOf(grants), toString: () => asText(sorted) }
}

/** Validates the argument at runtime, because JavaScript callers get no type checks. */
function checkClients(clients: unknown): void {
  if (!isRecord(clients))
    throw unexpected(
      'the argument of permissions()',
      clients,
      'an object such as { clientId: [api.pick(…)] }',
    )
  for (const [client, uses] of Object.entries(clients)) {
    if (!Array.isArray(uses)) throw unexpected(`client ${client}`, uses, 'a list such as [api.pick(…)]')
    for (const use of uses as unknown[])
      if (!isUse(use))
        throw unexpected(`an item in the list for client ${client}`, use, 'an object returned by api.pick(…)')
  }
}

function isUse(use: unknown): boolean {
  if (!isRecord(use) || typeof use['audience'] !== 'string' || !isRecord(use['operations'])) return false
  return Object.values(use['operations']).every(
    operation =>
      isRecord(operation) &&
      [operation['method'], operation['path']].every(text => typeof text === 'string') &&
      (operation['scopes'] === 'public' || Array.isArray(operation['scopes'])),
  )
}

/** Returns whether a value is an object, but not an array, a Map or a Promise. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function unexpected(where: string, value: unknown, expected: string): TypeError {
  const shown = inspect(value, { breakLength: Infinity, depth: 1 }).slice(0, 100)
  return new TypeError(`${where} is ${shown}; expected ${expected}`)
}

function grantsOf(rows: readonly Permission[]): Grant[] {
  const grants = new Map<string, { client: string; audience: string; scopes: Set<string> }>()
  for (const { client, audience, scopes } of rows) {
    const key = JSON.stringify([client, audience])
    const grant = grants.get(key) ?? { client, audience, scopes: new Set() }
    for (const scope of scopes === 'public' ? [] : scopes) grant.scopes.add(scope)
    grants.set(key, grant)
  }
  return [...grants.values()].map(({ client, audience, scopes }) => ({
    client,
    audience,
    scopes: [...scopes].sort(),
  }))
}

function clientsOf(grants: readonly Grant[]): PermittedClient[] {
  return [...new Set(grants.map(({ client }) => client))].map(clientId => {
    const own = grants.filter(({ client }) => client === clientId)
    const scopes = new Set(own.flatMap(grant => grant.scopes))
    return { clientId, audience: own.map(({ audience }) => audience), scopes: [...scopes].sort() }
  })
}

const columns = ['client', 'audience', 'operation', 'method', 'path', 'scopes'] as const

function asText(rows: readonly Permission[]): string {
  const lines: (readonly string[])[] = [columns]
  for (const row of rows) lines.push(columns.map(column => textOf(row[column])))
  const widths = columns.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function textOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : value.join(' ') || 'any token'
}
