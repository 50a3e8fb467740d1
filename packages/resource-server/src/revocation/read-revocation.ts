import { contain, isPlainObject, optional, parser, readOptions, show, type Parser } from 'declared-options'
import { InvalidRevocationError } from '../errors.js'
import type { Revocation, RevocationTarget, RevocationTerms, RevokedBy, RevokedTokens } from './revocation.js'

/** The rules for the arguments of `revoke` and `unrevoke`. */
export interface RevocationRules {
  /** Returns whether tokens with this `iss` can be accepted. */
  readonly isTrusted: (issuer: string) => boolean
  /**
   * The configured issuer, or undefined if more than one issuer is configured or the issuer is a template with
   * `{tenantid}`.
   */
  readonly onlyIssuer: string | undefined
  readonly now: () => number
}

/** The maximum length of a claim value in characters. It limits the size of a revocation. */
export const maxLength: number = 1_024
/** The maximum duration of a revocation, in milliseconds. */
export const longestMs: number = 365 * 86_400_000

const toError = (message: string): Error => new InvalidRevocationError(message)
const place = { option: '', allowInsecureHttp: false, toError }

const claim: Parser<string> = parser({
  expected: `a string of 1 to ${maxLength} characters that is identical to the claim in the tokens`,
  fromText: true,
  read: value => (typeof value === 'string' && value !== '' && value.length <= maxLength ? value : undefined),
})

const time: Parser<number> = parser({
  expected: 'a time in milliseconds (not seconds) since the epoch',
  fromText: true,
  read: value => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined),
})

const target = {
  jti: optional(claim),
  clientId: optional(claim),
  subject: optional(claim),
  keyId: optional(claim),
} satisfies Record<RevokedBy, unknown>

const scope = { issuer: optional(claim) }

/** @throws {InvalidRevocationError} */
export function readRevocation(
  what: RevocationTarget,
  given: RevocationTerms,
  rules: RevocationRules,
): Revocation {
  const terms = readOptions(
    objectOf(given, 'the terms', '{ until: Date.now() + 3_600_000 }'),
    { ...scope, until: time, issuedBefore: optional(time) },
    place,
  )
  const tokens = tokensOf(what, terms.issuer, rules)
  const now = rules.now()
  if (terms.until <= now || terms.until > now + longestMs)
    throw toError(
      `\`until\` is ${show(terms.until)}; expected milliseconds (not seconds) since the epoch, in the future and at most 365 days ahead (now: ${now})`,
    )
  if (tokens.by === 'jti' && terms.issuedBefore !== undefined)
    throw toError('`issuedBefore` has no effect with `jti`, which names a single token; remove it')
  checkIssuedBefore(terms.issuedBefore, terms.until, now)
  return { ...tokens, until: terms.until, issuedBefore: terms.issuedBefore }
}

/**
 * Rejects a time that was probably given in seconds. As a number of milliseconds, it would be a date in 1970, and the
 * revocation would not apply to any token.
 */
function checkIssuedBefore(given: number | undefined, until: number, now: number): void {
  if (given === undefined || (given > now - longestMs && given <= until)) return
  throw toError(
    `\`issuedBefore\` is ${show(given)}; expected milliseconds (not seconds) since the epoch, at most 365 days ago and not after \`until\` (now: ${now})`,
  )
}

/** @throws {InvalidRevocationError} */
export function readTokens(
  what: RevocationTarget,
  given: Pick<RevocationTerms, 'issuer'> | undefined,
  rules: RevocationRules,
): RevokedTokens {
  const terms = readOptions(objectOf(given ?? {}, 'the terms', "{ issuer: 'https://…' }"), scope, place)
  return tokensOf(what, terms.issuer, rules)
}

function tokensOf(what: unknown, issuer: string | undefined, rules: RevocationRules): RevokedTokens {
  const named = readOptions(objectOf(what, 'the tokens', "{ clientId: 'payment' }"), target, place)
  const given = (Object.keys(named) as RevokedBy[]).filter(by => named[by] !== undefined)
  const [by] = given
  const value = by === undefined ? undefined : named[by]
  if (by === undefined || value === undefined || given.length > 1)
    throw toError(
      `expected exactly one of ${Object.keys(target).join(', ')}; received ${given.join(' and ') || 'none of them'}`,
    )
  return { issuer: issuerOf(issuer, rules), by, value }
}

function issuerOf(given: string | undefined, { isTrusted, onlyIssuer }: RevocationRules): string {
  if (given === undefined) {
    if (onlyIssuer !== undefined) return onlyIssuer
    throw toError(
      '`issuer` is missing; with several issuers, set it to the issuer of the tokens, exactly as in `iss`',
    )
  }
  if (isTrusted(given)) return given
  throw toError(
    `\`issuer\` is ${show(given)}, which is not a trusted issuer; expected the issuer of the tokens, exactly as in \`iss\``,
  )
}

function objectOf(given: unknown, what: string, example: string): Readonly<Record<string, unknown>> {
  return contain(what, place, ({ toError: toOwnError }) => {
    if (isPlainObject(given)) return given
    throw toOwnError(`${what} must be an object such as ${example}, not ${show(given)}`)
  })
}
