import type { DecodedToken } from '../live/exchange.js'
import { timeOfDay, timeZoneName } from './money.js'

/** One parameter or claim with its meaning. */
export interface ClaimView {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

/** Claims are shown in this order. Other claims are only shown in the JSON of each call. */
const meanings: readonly (readonly [name: string, meaning: string])[] = [
  ['iss', 'The issuer of the token.'],
  ['aud', 'The only service that may accept the token.'],
  ['client_id', 'The client that got the token: a service, not a person.'],
  ['azp', 'The client that got the token.'],
  ['sub', 'The subject: the client itself, because there is no user.'],
  ['scope', 'What the token allows.'],
  ['scp', 'What the token allows.'],
  ['roles', 'What the token allows.'],
  ['exp', 'When the token expires. It is reused until then.'],
]
const headerMeanings: readonly (readonly [name: string, meaning: string])[] = [
  ['typ', 'The type of the token: an access token.'],
  ['kid', 'The issuer’s key that signed the token.'],
]

/** Returns the important header parameters and claims of a token with their meanings. */
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
