import {
  boolean,
  callback,
  count,
  instance,
  milliseconds,
  object,
  oneOf,
  optional,
  parser,
  type Declaration,
  type Parser,
} from 'declared-options'
import type { InterceptorName, InterceptorOptions } from '../call/interceptors.js'

const factor = parser({
  expected: 'a number from 1 to 100',
  read: value => (typeof value === 'number' && value >= 1 && value <= 100 ? value : undefined),
})
/** Creates a parser for a list that may be empty. For example, `statusCodes: []` means that no response is retried. */
function listOf(expected: string, fits: (member: unknown) => boolean): Parser<readonly unknown[]> {
  return parser({
    expected,
    read: value => (Array.isArray(value) && value.every(fits) ? (value as unknown[]) : undefined),
  })
}

const statusCodes = listOf('a list of status codes', code => Number.isInteger(code))
const names = listOf('a list of names', name => typeof name === 'string')
const anyFunction = callback<(...given: never[]) => unknown>('a function')

/**
 * The options of undici's interceptors. These options are validated here, because undici does not validate most of
 * them. For example, with `maxRetries: -1`, a failing call would never end.
 */
const declarations: Readonly<Record<InterceptorName, Declaration>> = {
  dns: {
    maxTTL: milliseconds(),
    maxItems: count(),
    lookup: anyFunction,
    pick: anyFunction,
    dualStack: boolean(),
    affinity: parser({
      expected: '4 or 6',
      read: value => (value === 4 || value === 6 ? value : undefined),
    }),
    storage: instance<Readonly<Record<'get' | 'set' | 'delete', unknown>>>(
      ['get', 'set', 'delete'],
      'an object with the methods get, set, delete and full',
    ),
  },
  deduplicate: {
    methods: names,
    skipHeaderNames: names,
    excludeHeaderNames: names,
    maxBufferSize: count(),
  },
  cache: {
    store: instance<Readonly<Record<'get' | 'createWriteStream' | 'delete', unknown>>>(
      ['get', 'createWriteStream', 'delete'],
      'a cache store from undici',
    ),
    methods: names,
    cacheByDefault: count(),
    type: oneOf(['shared', 'private']),
    origins: listOf(
      'a list of strings and regular expressions',
      one => typeof one === 'string' || one instanceof RegExp,
    ),
  },
  redirect: { maxRedirections: count({ max: 100 }), throwOnMaxRedirect: boolean() },
  retry: {
    retry: anyFunction,
    maxRetries: count({ max: 100 }),
    minTimeout: milliseconds(),
    maxTimeout: milliseconds(),
    timeoutFactor: factor,
    retryAfter: boolean(),
    methods: names,
    statusCodes,
    errorCodes: names,
    throwOnError: boolean(),
  },
  decompress: { skipErrorResponses: boolean(), skipStatusCodes: statusCodes, maxSize: count() },
  responseError: { throwOnError: boolean() },
}

/**
 * Creates a parser for `true`, `false` or the options of an interceptor. Options that are not set have undici's
 * defaults.
 */
function interceptor(declaration: Declaration): Parser<unknown> {
  const optionals = Object.entries(declaration).map(([name, one]) => [name, optional(one)])
  const options = object(
    Object.fromEntries(optionals) as Declaration,
    'true, or an object with the options of the undici interceptor',
  )
  return optional({
    ...options,
    read(value, place) {
      if (typeof value === 'boolean') return value
      const given = Object.entries(options.read(value, place))
      return Object.fromEntries(given.filter(([, one]) => one !== undefined))
    },
  })
}

const declaration: Declaration = Object.fromEntries(
  Object.entries(declarations).map(([name, one]) => [name, interceptor(one)]),
)

export const interceptorsOption: Parser<InterceptorOptions> = object(
  declaration,
  'an object such as { retry: true }',
) as Parser<InterceptorOptions>
