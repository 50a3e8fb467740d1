/** A schema is a tree of this size at most; the checks below take it apart without an end to be found in a cycle. */
const deepest = 50
const most = 10_000

type Node = Readonly<Record<PropertyKey, unknown>>

/** Keywords with schemas for the same value: a list, a table, or one schema. */
const inPlace = ['allOf', 'anyOf', 'oneOf', 'dependentSchemas']
const inPlaceOne = ['not', 'if', 'then', 'else']
/** Keywords whose value is data, in which `$ref` is a name like any other. */
const data = new Set<PropertyKey>(['const', 'enum', 'default', 'examples'])

/**
 * Finds what a metaschema cannot: functions that nothing would wait for, and references of which TypeBox says nothing when
 * it compiles them. One that leads nowhere would refuse every token, and one that leads back to itself would never return.
 * @returns what is wrong, after the words "option `claims`"; undefined if nothing is
 */
export function structureProblem(root: object): string | undefined {
  const found: Parts = { nodes: [], functions: [] }
  if (!collect(root, 1, found))
    return `is nested more than ${deepest} deep, contains itself, or has more than ${most} parts`
  // TypeBox calls the functions of `Type.Refine` and takes any truthy result for a yes: a promise would let every token in.
  if (found.functions.some(({ constructor }) => constructor.name === 'AsyncFunction'))
    return 'has an async function in Type.Refine; expected one that is not async'
  const target = targets(root as Node, found.nodes)
  const cleared = new Set<Node>()
  for (const node of found.nodes) {
    const { $ref: reference } = node
    if (node['$dynamicRef'] !== undefined) return 'has a $dynamicRef; expected $ref'
    if (typeof reference !== 'string') continue
    const shown = JSON.stringify(reference.slice(0, 100))
    if (target(reference) === undefined)
      return `has the $ref ${shown}, which leads nowhere in it; expected one such as "#/$defs/tenant"`
    if (leadsBack(node, { target, cleared, path: new Set() }))
      return `has the $ref ${shown}, which refers to itself`
  }
  return undefined
}

interface Parts {
  readonly nodes: Node[]
  readonly functions: object[]
}

/** @returns false if it is too large or too deep */
function collect(value: unknown, depth: number, found: Parts): boolean {
  if (typeof value === 'function') found.functions.push(value)
  if (typeof value !== 'object' || value === null) return true
  found.nodes.push(value as Node)
  if (depth > deepest || found.nodes.length > most) return false
  return Reflect.ownKeys(value).every(
    // What Zod adds for itself is a validator, and no part of the schema.
    name => data.has(name) || name === '~standard' || collect((value as Node)[name], depth + 1, found),
  )
}

type Target = (reference: string) => Node | undefined

/** `#`, a JSON pointer (RFC 6901), an `$anchor`, or an `$id` as TypeBox writes it. */
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
  /** Schemas that lead back to nothing. */
  readonly cleared: Set<Node>
  readonly path: ReadonlySet<Node>
}

/** Whether checking a value by this schema means checking the same value by it again. */
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
