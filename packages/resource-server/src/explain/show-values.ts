import { showValue } from '../show-value.js'
import type { Shown } from '../verify/candidate.js'

const times = new Set(['exp', 'nbf', 'iat', 'auth_time'])

/** Formats named values as one line of text, such as `iss "https://issuer.example", kid "1"`. */
export function showValues(shown: Shown): string {
  return Object.entries(shown)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${showValue(value)}${times.has(name) ? dateOf(value) : ''}`)
    .join(', ')
}

/**
 * Formats a NumericDate (RFC 7519 §2) as an ISO 8601 date in parentheses, or returns an empty string for any other
 * value.
 */
function dateOf(seconds: unknown): string {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : NaN)
  return Number.isNaN(date.getTime()) ? '' : ` (${date.toISOString().replace('.000Z', 'Z')})`
}
