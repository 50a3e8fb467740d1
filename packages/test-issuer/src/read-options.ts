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
 * Checks options by their declaration.
 * @param where the call or the client that the options belong to, such as `token()`
 * @throws {TypeError} whose message starts with `where`
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

/** Accepts a value if `use` returns a result for the value and does not throw. */
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

/** Accepts an object literal that JSON can represent, such as claims. */
export function jsonObject<T extends object>(expected: string): Parser<T> {
  return usableBy<T>(value => (isPlainObject(value) ? JSON.stringify(value) : undefined), expected)
}

/** Accepts any value, for options that are checked later. */
export function anything<T>(expected: string): Parser<T> {
  return parser({ expected, read: value => value as T })
}
