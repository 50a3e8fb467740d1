import { contain } from './contain.js'
import type { Parser } from './parser.js'
import type { Place } from './place.js'
import { isPlainObject, show } from './show.js'
import { suggest } from './suggest.js'

/** Options as the caller passed them, unchecked. */
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

/** The settings that a declaration produces. */
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
  context: Context,
): Parsed<D> {
  const options = takeOptions(given, context)
  const { toError, ignored } = context
  const place = { option: '', allowInsecureHttp: options['allowInsecureHttp'] === true, toError }
  return readOptions(options, declaration, place, ignored)
}

/**
 * A copy of options, for callers that read some of them on their own. Each option is read once, because a getter may throw,
 * or return another value the next time.
 * @throws the library's error, if it is not an object literal or a getter throws
 */
export function takeOptions(given: unknown, { toError, subject }: Omit<Context, 'ignored'>): Given {
  const place = { option: '', allowInsecureHttp: false, toError }
  const isPlain = contain(subject, place, () => isPlainObject(given))
  if (isPlain) return ownOptions(given as Given, place)
  throw contain(subject, place, () => toError(`${subject} expects an object of options, not ${show(given)}`))
}

/** The same for an object that is an option itself; `place` is where it is. @throws the error of the place */
export function ownOptions(given: Given, place: Place): Given {
  const names = contain(named(place), place, () => Object.getOwnPropertyNames(given))
  return Object.fromEntries(
    names.map(name => {
      const at = memberOf(place, name)
      return [name, contain(named(at), at, () => given[name])]
    }),
  )
}

/** Reads the options in an object that is an option itself; `place` is where the object is. */
export function readOptions<D extends Declaration>(
  given: Given,
  declaration: D,
  place: Place,
  ignored: readonly string[] = [],
): Parsed<D> {
  const own = ownOptions(given, place)
  refuseUnknown(own, Object.keys(declaration), place, ignored)
  const parsed = Object.entries(declaration).map(([name, parser]) => {
    const at = memberOf(place, name)
    return [name, contain(named(at), at, contained => readOne(own, name, parser, contained))]
  })
  // Each name has the value of its parser.
  return Object.freeze(Object.fromEntries(parsed)) as Parsed<D>
}

function memberOf(place: Place, name: string): Place {
  return { ...place, option: place.option === '' ? name : `${place.option}.${name}` }
}

function named({ option }: Place): string {
  return `option \`${option.slice(0, 100)}\``
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
  place: Place,
  ignored: readonly string[],
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name) || ignored.includes(name)) continue
    const meant = suggest(name, [...known, ...ignored])
    const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`
    throw place.toError(`there is no ${named(memberOf(place, name.slice(0, 100)))}${hint}`)
  }
}
