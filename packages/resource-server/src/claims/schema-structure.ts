/**
 * The maximum depth of a schema, and the maximum number of objects in it. Without these limits, checking a schema
 * object that contains itself would never end.
 */
const deepest = 50
const most = 10_000

type Node = Readonly<Record<PropertyKey, unknown>>

/** JSON Schema keywords, such as `allOf`, whose subschemas validate the same value as the schema itself. */
const inPlace = ['allOf', 'anyOf', 'oneOf', 'dependentSchemas']
const inPlaceOne = ['not', 'if', 'then', 'else']
/** Keywords that contain data instead of schemas. A `$ref` inside such data is not a reference. */
const data = new Set<PropertyKey>(['const', 'enum', 'default', 'examples'])

/**
 * Finds the schema problems that neither a metaschema nor TypeBox reports: async functions and invalid references. If a
 * `$ref` did not resolve, every token would be refused. If a `$ref` were circular, validation would never end.
 * @returns a description of the first problem, or undefined if there is none
 */
export function structureProblem(root: object): string | undefined {
  const found: Parts = { nodes: [], functions: [] }
  if (!collect(root, 1, found))
    return `the schema contains itself, is nested more than ${deepest} levels deep, or contains more than ${most} objects`
  // An async function in `Type.Refine` would accept every token, because TypeBox treats its promise as true.
  if (found.functions.some(({ constructor }) => constructor.name === 'AsyncFunction'))
    return 'Type.Refine was called with an async function; expected a synchronous function'
  const target = targets(root as Node, found.nodes)
  const cleared = new Set<Node>()
  for (const node of found.nodes) {
    const { $ref: reference } = node
    if (node['$dynamicRef'] !== undefined) return '$dynamicRef is not supported; use $ref instead'
    if (typeof reference !== 'string') continue
    const shown = JSON.stringify(reference.slice(0, 100))
    if (target(reference) === undefined)
      return `the $ref ${shown} does not resolve to a part of the schema; expected a reference such as "#/$defs/tenant"`
    if (leadsBack(node, { target, cleared, path: new Set() }))
      return `the $ref ${shown} is circular: it leads back to itself`
  }
  return undefined
}

interface Parts {
  readonly nodes: Node[]
  readonly functions: object[]
}

/** @returns false if the schema is too large or too deeply nested */
function collect(value: unknown, depth: number, found: Parts): boolean {
  if (typeof value === 'function') found.functions.push(value)
  if (typeof value !== 'object' || value === null) return true
  found.nodes.push(value as Node)
  if (depth > deepest || found.nodes.length > most) return false
  return Reflect.ownKeys(value).every(
    // Zod adds a validator to the schema under the name `~standard`. This member is not part of JSON Schema.
    name => data.has(name) || name === '~standard' || collect((value as Node)[name], depth + 1, found),
  )
}

type Target = (reference: string) => Node | undefined

/**
 * Returns a function that resolves a `$ref`. A `$ref` can be `#`, a JSON pointer (RFC 6901), an `$anchor` or the
 * `$id` of a subschema.
 */
function targets(root: Node, nodes: readonly Node[]): Target {
  const named = new Map<unknown, Node>([['#', root]])
  for (const node of nodes) {
    if (typeof node['$id'] === 'string') named.set(node['$id'], node)
    if (typeof node['$anchor'] === 'string') named.set(`#${node['$anchor']}`, node)
  }
  return reference => named.get(reference) ?? (reference.startsWith('#/') ? at(root, reference) : undefined)
}

function at(root: Node, pointer: string): Node | undefined {
  let value: unknown = root
  for (const step of pointer.slice(2).split('/')) {
    const name = decode(step)
    if (typeof value !== 'object' || value === null || name === undefined || !Object.hasOwn(value, name))
      return undefined
    value = (value as Node)[name]
  }
  return typeof value === 'object' && value !== null ? (value as Node) : undefined
}

function decode(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return undefined
  }
}

interface Search {
  readonly target: Target
  readonly cleared: Set<Node>
  readonly path: ReadonlySet<Node>
}

/** Returns whether a schema is circular, so that validating a value with it would never end. */
function leadsBack(node: Node, search: Search): boolean {
  if (search.cleared.has(node)) return false
  if (search.path.has(node)) return true
  const path = new Set([...search.path, node])
  const { $ref: reference } = node
  const next = [
    typeof reference === 'string' ? search.target(reference) : undefined,
    ...inPlaceOne.map(name => node[name]),
    ...inPlace.flatMap(name => Object.values(node[name] ?? {}) as unknown[]),
  ]
  const found = next.some(
    schema => typeof schema === 'object' && schema !== null && leadsBack(schema as Node, { ...search, path }),
  )
  if (!found) search.cleared.add(node)
  return found
}
