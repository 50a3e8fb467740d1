import { decodeStep, type OpenApiDocument } from './document.js'
import { isObject } from './json.js'
import { uniqueNames } from './naming.js'
import { print, type Code } from './print.js'
import { schemaCode, type SchemaContext } from './schema-code.js'

const prefix = '#/components/schemas/'

/** The schemas that operations share, as constants of the generated file. */
export interface Components {
  /** What the code of an operation refers to. */
  readonly context: SchemaContext
  /** The constants that were referred to, each after those it uses. */
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

  /** A reference to anything but a component is written out; `found` says what a reference to a component becomes. */
  const contextWith = (found: (original: string, name: string) => Code): SchemaContext => {
    const context: SchemaContext = {
      note,
      reference(ref) {
        const original = componentOf(ref)
        const name = original === undefined ? undefined : names.get(original)
        if (original !== undefined && name !== undefined) return found(original, name)
        return once(ref, open, note) ?? closing(ref, open, () => schemaCode(at(ref), context))
      },
    }
    return context
  }

  function statements(): string[] {
    const written = new Map<string, string>()
    const context = contextWith((original, name) => {
      const recursion = once(original, open, note)
      if (recursion !== undefined) return recursion
      write(original, name)
      return name
    })
    function write(original: string, name: string): void {
      if (written.has(name)) return
      const code = closing(original, open, () => schemaCode(schemas[original], context))
      const start = `export const ${name} = `
      written.set(
        name,
        `${start}${print(code, 0, start.length)}\nexport type ${name} = Static<typeof ${name}>`,
      )
    }
    for (const original of [...wanted].sort()) write(original, names.get(original) ?? original)
    return [...written.values()]
  }

  const context = contextWith((original, name) => {
    resolve(schemas[original]) // follows aliases, so that a mistake in one is an error here
    wanted.add(original)
    return name
  })
  return { context, statements }
}

/** The name of a component that is referred to as a whole. */
function componentOf(ref: string): string | undefined {
  const name = ref.startsWith(prefix) ? ref.slice(prefix.length) : ''
  return name === '' || name.includes('/') ? undefined : decodeStep(name)
}

/** What stands for a schema inside itself: a constant cannot contain itself. */
function once(name: string, open: ReadonlySet<string>, note: SchemaContext['note']): Code | undefined {
  if (!open.has(name)) return undefined
  note(`${name} contains itself; the inner one is Type.Unknown()`)
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
