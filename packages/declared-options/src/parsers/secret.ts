import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Parser } from '../parser.js'
import { parser } from '../parser.js'
import { kindOf } from '../show.js'

/** Text that no error shows, or a function that returns it. */
export function secret<F extends (...given: never[]) => unknown>(expected: string): Parser<string | F> {
  return parser({
    expected,
    fromText: true,
    read(value, { option, toError }) {
      // Its result is checked when it is called.
      if (typeof value === 'function') return value as F
      if (typeof value === 'string' && value !== '' && !/^[\r\n]|[\r\n]$/.test(value)) return value
      const received =
        typeof value === 'string' && value !== ''
          ? 'text that begins or ends with a line break'
          : kindOf(value)
      throw toError(
        `option \`${option}\` is ${received}; expected ${expected} (is the environment variable set?)`,
      )
    },
  })
}

/** What PEM text can contain. */
type PemKind = 'certificate' | 'private key'

const readers: Readonly<Record<PemKind, (block: string) => unknown>> = {
  certificate: block => new X509Certificate(block),
  'private key': createPrivateKey,
}

/** One or more certificates, or a private key, as PEM. No error shows it. */
export function pem(kind: PemKind): Parser<string> {
  const expected = `a ${kind} in PEM`
  return parser({
    expected,
    fromText: true,
    read(value, { option, toError }) {
      if (typeof value === 'string' && canRead(value, readers[kind])) return value
      throw toError(
        `option \`${option}\` is ${kindOf(value)}; expected ${expected} that can be read (did it lose its line breaks in an environment variable?)`,
      )
    },
  })
}

function canRead(value: string, read: (block: string) => unknown): boolean {
  const blocks = value.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g)
  if (blocks === null) return false
  try {
    for (const block of blocks) read(block)
    return true
  } catch {
    return false
  }
}
