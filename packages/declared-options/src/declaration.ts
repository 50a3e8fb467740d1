import { contain } from './contain.js'
import type { Parser } from './parser.js'
import type { Place } from './place.js'
import { isPlainObject, show } from './show.js'
import { suggest } from './suggest.js'

/** The options as the caller passed them, before validation. */
export type Given = Readonly<Record<string, unknown>>

/** Maps the name of each option to the parser for its value. */
export type Declaration = Readonly<Record<string, Parser<unknown>>>

/**
 * The type of a declaration with one parser for each option in an interface. Use it with `satisfies`:
 *
 * ```ts
 * const declaration = { timeoutMs: withDefault(milliseconds(), 5_000) } satisfies Declares<MyOptions>
 * ```
 */
export type Declares<Options> = { readonly [Name in keyof Options]-?: Parser<unknown> }

/** The type of the settings that {@link parseOptions} returns for a declaration. */
export type Parsed<D extends Declaration> = {
  readonly [Name in keyof D]: D[Name] extends Parser<infer Value> ? Value : never
}

/** Determines how {@link parseOptions} creates errors and which options it ignores. */
export interface Context {
  /** Creates an error of the class that your library throws for invalid options. */
  readonly toError: (message: string) => Error
  /**
   * The name of the function that accepts the options, such as `createTokenClient`. The error message uses this name if the
   * options are not an object.
   */
  readonly subject: string
  /** The names of options to ignore. For example, Fastify's `register` handles the option `prefix`. */
  readonly ignored?: readonly string[]
}

/**
 * Validates options and applies defaults. Returns a frozen object.
 * @throws the error that `context.toError` creates, if an option is unknown or invalid. The message names the option, the value
 * received and the value expected
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
 * Copies the options, so that a function can read some of them before {@link parseOptions} validates them all. The copy
 * contains the value of each getter, because a getter could return a different value when called again.
 * @throws the error that `toError` creates, if the options are not a plain object or a getter throws
 */
export function takeOptions(given: unknown, { toError, subject }: Omit<Context, 'ignored'>): Given {
  const place = { option: '', allowInsecureHttp: false, toError }
  const isPlain = contain(subject, place, () => isPlainObject(given))
  if (isPlain) return ownOptions(given as Given, place)
  throw contain(subject, place, () => toError(`${subject} expects an object of options, not ${show(given)}`))
}

/**
 * Copies the options in a nested object.
 * @param place the option whose value is the nested object
 * @throws the error that `place.toError` creates, if a getter throws
 */
export function ownOptions(given: Given, place: Place): Given {
  const names = contain(named(place), place, () => Object.getOwnPropertyNames(given))
  return Object.fromEntries(
    names.map(name => {
      const at = memberOf(place, name)
      return [name, contain(named(at), at, () => given[name])]
    }),
  )
}

/**
 * Validates the options in a nested object and applies defaults.
 * @param place the option whose value is the nested object
 * @throws the error that `place.toError` creates, if an option is unknown or invalid
 */
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
  // The cast is safe because each option was read by its own declared parser.
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

/** Rejects unknown names. Otherwise, a misspelled option would silently have no effect. */
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
    const option = named(memberOf(place, name.slice(0, 100)))
    throw place.toError(`there is no ${option}${hint}`)
  }
}
