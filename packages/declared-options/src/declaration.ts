import type { Parser } from './parser.js'
import type { Place } from './place.js'
import { isPlainObject, show } from './show.js'
import { suggest } from './suggest.js'

/** Options as a caller gave them: nothing is known about the values. */
export type Given = Readonly<Record<string, unknown>>

/** Each option's name, and how its value is checked. */
export type Declaration = Readonly<Record<string, Parser<unknown>>>

/**
 * For `satisfies`: the declaration has every option of an interface, and no other one.
 *
 * ```ts
 * const declaration = { timeoutMs: withDefault(milliseconds(), 5_000) } satisfies Declares<MyOptions>
 * ```
 */
export type Declares<Options> = { readonly [Name in keyof Options]-?: Parser<unknown> }

/** What a declaration makes of options. */
export type Parsed<D extends Declaration> = {
  readonly [Name in keyof D]: D[Name] extends Parser<infer Value> ? Value : never
}

/** What the options of one library have in common. */
export interface Context {
  /** Makes the library's own error. */
  readonly toError: (message: string) => Error
  /** What the options are given to, such as `createTokenClient`, for the error when they are not an object. */
  readonly subject: string
  /** Names that are read elsewhere, such as `prefix` of Fastify's `register`. */
  readonly ignored?: readonly string[]
}

/**
 * Checks options and fills in defaults.
 * @throws the library's error, naming the option, the value received and what was expected
 */
export function parseOptions<D extends Declaration>(
  given: unknown,
  declaration: D,
  { toError, subject, ignored = [] }: Context,
): Parsed<D> {
  if (!isPlainObject(given)) throw toError(`${subject} expects an object of options, not ${show(given)}`)
  const place = { option: '', allowInsecureHttp: given['allowInsecureHttp'] === true, toError }
  return readOptions(given, declaration, place, ignored)
}

/** Reads the options in an object that is an option itself; `place` is where the object is. */
export function readOptions<D extends Declaration>(
  given: Given,
  declaration: D,
  place: Place,
  ignored: readonly string[] = [],
): Parsed<D> {
  const prefix = place.option === '' ? '' : `${place.option}.`
  refuseUnknown(given, Object.keys(declaration), { ...place, option: prefix }, ignored)
  const parsed = Object.entries(declaration).map(([name, parser]) => [
    name,
    readOne(given, name, parser, { ...place, option: prefix + name }),
  ])
  // Each name has the value of its parser.
  return Object.freeze(Object.fromEntries(parsed)) as Parsed<D>
}

function readOne(given: Given, name: string, parser: Parser<unknown>, place: Place): unknown {
  if (!Object.hasOwn(given, name)) return parser.absent(place)
  const value = given[name]
  if (value !== undefined) return parser.read(value, place)
  if (!parser.fromText) return parser.absent(place)
  throw place.toError(
    `option \`${place.option}\` is undefined (is the environment variable set?); expected ${parser.expected}${isRequired(parser, place) ? '' : ', or leave it out'}`,
  )
}

function isRequired(parser: Parser<unknown>, place: Place): boolean {
  try {
    parser.absent(place)
    return false
  } catch {
    return true
  }
}

/** A misspelt option would silently do nothing. */
function refuseUnknown(
  given: Given,
  known: readonly string[],
  { option: prefix, toError }: Place,
  ignored: readonly string[],
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name) || ignored.includes(name)) continue
    const meant = suggest(name, [...known, ...ignored])
    const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`
    throw toError(`there is no option \`${prefix}${name.slice(0, 100)}\`${hint}`)
  }
}
