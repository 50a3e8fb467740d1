import { showValue } from '../show-value.js'
import type { Shown } from '../verify/candidate.js'

const times = new Set(['exp', 'nbf', 'iat', 'auth_time'])

/** Values as one line of text, each as {@link showValue} has it. */
export function showValues(shown: Shown): string {
  return Object.entries(shown)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${showValue(value)}${times.has(name) ? dateOf(value) : ''}`)
    .join(', ')
}

/** NumericDate (RFC 7519 §2) as a date; empty if it is not one. */
function dateOf(seconds: unknown): string {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : NaN)
  return Number.isNaN(date.getTime()) ? '' : ` (${date.toISOString().replace('.000Z', 'Z')})`
}
