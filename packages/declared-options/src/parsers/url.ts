import { parser, type Parser } from '../parser.js'
import type { Place } from '../place.js'
import { invalid, kindOf, show } from '../show.js'
import { refuseLong } from './text.js'

/** What a URL may contain. */
interface UrlRules {
  /** Rejects query and fragment, as an issuer identifier has none (RFC 8414 §2). Default false. */
  readonly plain?: boolean
  /** An example for the error. */
  readonly example?: string
}

/**
 * An absolute URL: https, http on this machine, or any http with `allowInsecureHttp`. Credentials in it are rejected
 * and never shown. The text is not normalized, because issuers are compared character by character.
 */
export function url({
  plain = false,
  example = 'https://login.example.com/tenant',
}: UrlRules = {}): Parser<string> {
  const expected = `an absolute URL such as '${example}'${plain ? ', without query and fragment' : ''}`
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
            : 'an https URL, or http on this machine; or set allowInsecureHttp',
        )
      return value
    },
  })
}

/**
 * Whether a URL is safe to send secrets to and to believe answers from: https, http on this machine, or any http with
 * `allowInsecureHttp`. A URL with a user name or password is never safe, because it would appear in logs.
 */
export function isTrustworthyUrl(value: string, allowInsecureHttp: boolean): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username !== '' || password !== '') return false
  if (protocol === 'https:') return true
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
  return protocol === 'http:' && (isLoopback || allowInsecureHttp)
}

/** A URL that cannot be parsed may contain credentials too, so it is not shown. */
function refuseCredentials(value: string, { option, toError }: Place): void {
  const isParsed = URL.canParse(value)
  const { username, password } = isParsed ? new URL(value) : { username: '', password: '' }
  if (username !== '' || password !== '')
    throw toError(`option \`${option}\` is a URL with a user name or password; give the URL without them`)
  if (value.includes('@') && (!isParsed || !/^https?:/i.test(value)))
    throw toError(
      `option \`${option}\` is not an http or https URL (it may hold credentials and is not shown); give an absolute URL without them`,
    )
}

/** A query may hold a secret. */
function wrongUrl(value: string, { option, toError }: Place, expected: string): Error {
  const [shown = '', ...rest] = value.split('?')
  const text = value === '' ? kindOf(value) : show(rest.length === 0 ? shown : `${shown}?…`)
  return toError(`option \`${option}\` is ${text}; expected ${expected}`)
}
