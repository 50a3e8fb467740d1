import { parser, type Parser } from '../parser.js'
import type { Place } from '../place.js'
import { invalid, kindOf, show } from '../show.js'
import { refuseLong } from './text.js'

/** Rules for {@link url}. */
interface UrlRules {
  /**
   * Whether to reject URLs with a query or a fragment. An issuer identifier must have neither (RFC 8414 §2). Default
   * false.
   */
  readonly plain?: boolean
  /** An example URL for the error message. */
  readonly example?: string
}

/**
 * Accepts an absolute https URL, an http URL on localhost, or any http URL if the options have `allowInsecureHttp: true`.
 * Rejects URLs that contain a username or password, and does not show these URLs in errors. Returns the URL unchanged, because
 * issuer identifiers are compared character by character.
 */
export function url({
  plain = false,
  example = 'https://login.example.com/tenant',
}: UrlRules = {}): Parser<string> {
  const expected = `an absolute URL such as '${example}'${plain ? ', without a query or fragment' : ''}`
  return parser({
    expected,
    fromText: true,
    read(value, place) {
      if (typeof value !== 'string') throw invalid(place, value, expected)
      refuseLong(value, place)
      refuseCredentials(value, place)
      if (!URL.canParse(value) || /\s/.test(value) || (plain && /[?#]/.test(value)))
        throw wrongUrl(value, place, expected)
      if (!isTrustworthyUrl(value, place.allowInsecureHttp))
        throw wrongUrl(
          value,
          place,
          place.allowInsecureHttp
            ? 'an http or https URL'
            : 'an https URL, or an http URL on localhost; to allow other http URLs, set allowInsecureHttp',
        )
      return value
    },
  })
}

/**
 * Returns whether it is safe to send secrets to a URL and to trust its responses. Safe URLs are https URLs, http URLs
 * on localhost and, with `allowInsecureHttp`, all other http URLs. URLs that contain a username or password are never
 * safe, because URLs are written to logs.
 */
export function isTrustworthyUrl(value: string, allowInsecureHttp: boolean): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username !== '' || password !== '') return false
  if (protocol === 'https:') return true
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
  return protocol === 'http:' && (isLoopback || allowInsecureHttp)
}

/**
 * Rejects URLs that contain credentials. Also rejects invalid URLs with an `@`, without showing them in the error,
 * because they may contain credentials.
 */
function refuseCredentials(value: string, { option, toError }: Place): void {
  const isParsed = URL.canParse(value)
  const { username, password } = isParsed ? new URL(value) : { username: '', password: '' }
  if (username !== '' || password !== '')
    throw toError(
      `option \`${option}\` is a URL with a username or password; remove the credentials from the URL`,
    )
  if (value.includes('@') && (!isParsed || !/^https?:/i.test(value)))
    throw toError(
      `option \`${option}\` is not an http or https URL; expected an absolute URL without credentials (the value is not shown, because it may contain credentials)`,
    )
}

/** Creates an error that shows the URL without the query, because a query may contain a secret. */
function wrongUrl(value: string, { option, toError }: Place, expected: string): Error {
  const [shown = '', ...rest] = value.split('?')
  const text = value === '' ? kindOf(value) : show(rest.length === 0 ? shown : `${shown}?…`)
  return toError(`option \`${option}\` is ${text}; expected ${expected}`)
}
