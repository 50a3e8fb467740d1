import type { Shown } from '../verify/candidate.js'

const longestValue = 160
/** A JWT, or the beginning of one: a claim may contain a token. Its header begins with `{"` or `{ `. */
const token = /\bey[JA][\w-]{8,}[\w.-]*/g
const times = new Set(['exp', 'nbf', 'iat', 'auth_time'])
/** Control and format characters, among them those that reverse text, and line separators. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Values as one line of text: each clipped, tokens in them replaced, characters that nobody sees escaped. */
export function showValues(shown: Shown): string {
  return Object.entries(shown)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${showValue(value)}${times.has(name) ? dateOf(value) : ''}`)
    .join(', ')
}

/** NumericDate (RFC 7519 §2) as a date; nothing if it is none. */
function dateOf(seconds: unknown): string {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : NaN)
  return Number.isNaN(date.getTime()) ? '' : ` (${date.toISOString().replace('.000Z', 'Z')})`
}

/** @param value anything that JSON can have */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  const text = JSON.stringify(value)
    .replaceAll(token, '(a token)')
    .replaceAll(invisible, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}
