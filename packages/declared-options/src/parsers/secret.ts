import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Parser } from '../parser.js'
import { parser } from '../parser.js'
import { kindOf } from '../show.js'

/** Accepts a secret, or a function that returns the secret. Error messages do not show the secret. */
export function secret<F extends (...given: never[]) => unknown>(expected: string): Parser<string | F> {
  return parser({
    expected,
    fromText: true,
    read(value, { option, toError }) {
      // The cast is needed because the result of the function can be checked only when the function is called.
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

type PemKind = 'certificate' | 'private key'

const readers: Readonly<Record<PemKind, (block: string) => unknown>> = {
  certificate: block => new X509Certificate(block),
  'private key': createPrivateKey,
}

/** Accepts one or more certificates, or a private key, in PEM format. Error messages do not show the value. */
export function pem(kind: PemKind): Parser<string> {
  const expected = `a ${kind} in PEM format`
  return parser({
    expected,
    fromText: true,
    read(value, { option, toError }) {
      if (typeof value === 'string' && canRead(value, readers[kind])) return value
      throw toError(
        `option \`${option}\` is ${kindOf(value)}; expected ${expected} (did an environment variable lose the line breaks?)`,
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
