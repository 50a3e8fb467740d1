import type { DecodedToken } from '../live/exchange.js'
import { timeOfDay, timeZoneName } from './money.js'

/** One parameter or claim, with what it means. */
export interface ClaimView {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

/** In this order; others are left out here, and are in the JSON of each call. */
const meanings: readonly (readonly [name: string, meaning: string])[] = [
  ['iss', 'Who issued it.'],
  ['aud', 'The one service it is for.'],
  ['client_id', 'Which client it was issued to: a service, not a person.'],
  ['azp', 'Which client it was issued to.'],
  ['sub', 'Whom it speaks for: the service itself, since there is no user.'],
  ['scope', 'What it allows.'],
  ['scp', 'What it allows.'],
  ['roles', 'What it allows.'],
  ['exp', 'When it expires. Until then it is used again.'],
]
const headerMeanings: readonly (readonly [name: string, meaning: string])[] = [
  ['typ', 'What it is: an access token.'],
  ['kid', 'With which of the issuer’s keys.'],
]

/** What matters of a token's header and claims, each with a sentence. */
export function claimsOf(token: DecodedToken | undefined): ClaimView[] {
  if (token === undefined) return []
  return [...explain(token.header, headerMeanings), ...explain(token.claims, meanings)]
}

function explain(
  part: Readonly<Record<string, unknown>>,
  known: readonly (readonly [string, string])[],
): ClaimView[] {
  return known
    .filter(([name]) => part[name] !== undefined)
    .map(([name, meaning]) => ({ name, value: textOf(name, part[name]), meaning }))
}

function textOf(name: string, value: unknown): string {
  const isTime = name === 'exp' && typeof value === 'number' && Math.abs(value) < 1e12
  if (isTime) return `${value} (${timeOfDay(value * 1000)} ${timeZoneName()})`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
