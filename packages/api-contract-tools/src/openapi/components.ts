import { decodeStep, type OpenApiDocument } from './document.js'
import { OpenApiError } from './errors.js'
import { isObject } from './json.js'
import { uniqueNames } from './naming.js'
import { print, type Code } from './print.js'
import { schemaCode, type SchemaContext } from './schema-code.js'

const prefix = '#/components/schemas/'
/**
 * The maximum number of references that are replaced with a copy of their schema. Without a limit, the copies could
 * exhaust the memory, because each copy can contain further references.
 */
const maxInlined = 10_000

/** Converts the document's component schemas to constants in the generated file. */
export interface Components {
  /** Resolves the references in the schemas of operations. */
  readonly context: SchemaContext
  /** Returns the declarations of all referenced constants. Each constant is declared after the constants that it uses. */
  statements(): string[]
}

export function createComponents(
  { root, at, resolve }: OpenApiDocument,
  taken: readonly string[],
  note: SchemaContext['note'],
): Components {
  const { components } = root
  const schemas = isObject(components) && isObject(components['schemas']) ? components['schemas'] : {}
  const names = uniqueNames(Object.keys(schemas).sort(), taken)
  const wanted = new Set<string>()
  const open = new Set<string>()
  let inlined = 0

  /**
   * Creates the functions for converting schemas. Each reference to a component schema is replaced with the code that
   * `found` returns. Any other reference is replaced with the schema to which it points.
   */
  const contextWith = (found: (original: string, name: string) => Code): SchemaContext => {
    const context: SchemaContext = {
      note,
      reference(ref) {
        const original = componentOf(ref)
        const name = original === undefined ? undefined : names.get(original)
        if (original !== undefined && name !== undefined) return found(original, name)
        inlined += 1
        if (inlined > maxInlined)
          throw new OpenApiError(
            `The document has more than ${maxInlined} references to schemas outside components/schemas, such as ${JSON.stringify(ref.slice(0, 200))}; move these schemas there.`,
          )
        return once(ref, open, note) ?? closing(ref, open, () => schemaCode(at(ref), context))
      },
    }
    return context
  }

  /** Returns the names of the components that a component refers to. */
  function referencesOf(original: string): string[] {
    const found: string[] = []
    const context = contextWith((other, name) => {
      found.push(other)
      return name
    })
    schemaCode(schemas[original], context)
    return found
  }

  /**
   * Declares all referenced components, each after its dependencies. The depth-first search is iterative, because the
   * reference chains of large documents would overflow the call stack.
   */
  function statements(): string[] {
    const written = new Map<string, string>()
    const context = contextWith((original, name) => once(original, open, note) ?? name)
    const path: { readonly original: string; readonly pending: string[] }[] = []
    const enter = (original: string): void => {
      if (written.has(original) || open.has(original)) return
      path.push({ original, pending: referencesOf(original) })
      open.add(original)
    }
    for (const first of [...wanted].sort()) {
      enter(first)
      for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
        const next = last.pending.shift()
        if (next !== undefined) {
          enter(next)
          continue
        }
        written.set(last.original, statementOf(last.original, context))
        open.delete(last.original)
        path.pop()
      }
    }
    return [...written.values()]
  }

  function statementOf(original: string, context: SchemaContext): string {
    const name = names.get(original) ?? original
    const start = `export const ${name} = `
    const code = print(schemaCode(schemas[original], context), 0, start.length)
    return `${start}${code}\nexport type ${name} = Static<typeof ${name}>`
  }

  const context = contextWith((original, name) => {
    resolve(schemas[original]) // Throws if the component is an alias for itself or for a missing component.
    wanted.add(original)
    return name
  })
  return { context, statements }
}

/** Returns the name of the component that a reference points to, or undefined if the reference points elsewhere. */
function componentOf(ref: string): string | undefined {
  const name = ref.startsWith(prefix) ? ref.slice(prefix.length) : ''
  return name === '' || name.includes('/') ? undefined : decodeStep(name)
}

/**
 * If a schema refers to itself, returns `Type.Unknown()` for the inner reference, because a constant cannot refer to
 * itself.
 */
function once(name: string, open: ReadonlySet<string>, note: SchemaContext['note']): Code | undefined {
  if (!open.has(name)) return undefined
  note(`the schema ${name} refers to itself; the inner reference becomes Type.Unknown()`)
  return 'Type.Unknown()'
}

function closing(name: string, open: Set<string>, work: () => Code): Code {
  open.add(name)
  try {
    return work()
  } finally {
    open.delete(name)
  }
}
