import {
  isPlainObject,
  oneOrMore,
  parseOptions,
  parser,
  strings,
  text,
  type Declaration,
  type Parsed,
  type Parser,
} from 'declared-options'

/**
 * Validates options.
 * @param where the function or the client that the options are for, such as `token()`
 * @throws {TypeError} if an option is unknown or invalid. The message starts with `where`
 */
export function readOptions<D extends Declaration>(where: string, given: unknown, declaration: D): Parsed<D> {
  return parseOptions(given, declaration, { toError: message => wrong(where, message), subject: 'this call' })
}

export function wrong(where: string, message: string): TypeError {
  return new TypeError(`oauth-test-issuer: ${where}: ${message}`)
}

export const audienceOption: Parser<readonly string[]> = oneOrMore(
  text('the identifier of an API such as https://api.example.com, or several'),
)

export const scopesOption: Parser<readonly string[]> = strings(
  'a list of scopes, each without spaces (RFC 6749 §3.3)',
  { pattern: /^[\x21\x23-\x5B\x5D-\x7E]+$/, mayBeEmpty: true },
)

/** Accepts a value if `use`, called with the value, neither throws nor returns undefined. */
export function usableBy<T>(use: (value: T) => unknown, expected: string): Parser<T> {
  return parser({
    expected,
    read(value) {
      try {
        return use(value as T) === undefined ? undefined : (value as T)
      } catch {
        return undefined
      }
    },
  })
}

/** Accepts a plain object that JSON can represent, such as claims. */
export function jsonObject<T extends object>(expected: string): Parser<T> {
  return usableBy<T>(value => (isPlainObject(value) ? JSON.stringify(value) : undefined), expected)
}

/** Accepts any value. The option is validated later. */
export function anything<T>(expected: string): Parser<T> {
  return parser({ expected, read: value => value as T })
}
