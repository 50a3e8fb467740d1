import { parser, type Parser } from '../parser.js'
import type { Place } from '../place.js'
import { invalid, kindOf, show } from '../show.js'
import { refuseLong } from './text.js'

/** Rules for {@link url}. */
interface UrlRules {
  /** Whether to reject a query and a fragment, as for issuer identifiers (RFC 8414 §2). Default false. */
  readonly plain?: boolean
  /** The example URL in the error message. */
  readonly example?: string
}

/**
 * Accepts an absolute https URL, an http URL of this machine, or any http URL if the options have `allowInsecureHttp: true`.
 * Rejects URLs with a user name or password, and does not show them. Does not normalize the URL, because issuer identifiers are
 * compared character by character.
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
            : 'an https URL, or http on this machine; to allow other http URLs, set allowInsecureHttp',
        )
      return value
    },
  })
}

/**
 * Whether it is safe to send secrets to a URL and to trust its responses. True for https, for http on this machine and, with
 * `allowInsecureHttp`, for any http URL. False for a URL with a user name or password, because it would appear in logs.
 */
export function isTrustworthyUrl(value: string, allowInsecureHttp: boolean): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  if (username !== '' || password !== '') return false
  if (protocol === 'https:') return true
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
  return protocol === 'http:' && (isLoopback || allowInsecureHttp)
}

/** Rejects URLs with credentials. A URL that cannot be parsed may contain credentials too, so the error does not show it. */
function refuseCredentials(value: string, { option, toError }: Place): void {
  const isParsed = URL.canParse(value)
  const { username, password } = isParsed ? new URL(value) : { username: '', password: '' }
  if (username !== '' || password !== '')
    throw toError(`option \`${option}\` is a URL with a user name or password; remove them from the URL`)
  if (value.includes('@') && (!isParsed || !/^https?:/i.test(value)))
    throw toError(
      `option \`${option}\` is not an http or https URL; expected an absolute URL without credentials (the value may contain some, so it is not shown)`,
    )
}

/** Shows the URL without its query, which may contain a secret. */
function wrongUrl(value: string, { option, toError }: Place, expected: string): Error {
  const [shown = '', ...rest] = value.split('?')
  const text = value === '' ? kindOf(value) : show(rest.length === 0 ? shown : `${shown}?…`)
  return toError(`option \`${option}\` is ${text}; expected ${expected}`)
}
