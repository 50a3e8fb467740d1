import type { Refusal } from '../errors.js'
import {
  checkAudience,
  checkIssuer,
  checkKind,
  checkPresence,
  checkType,
  checkTypes,
  typedClaims,
  type ClaimRules,
  type ReadToken,
} from './check-claims.js'
import {
  checkAge,
  checkExpiry,
  checkIssuedAt,
  checkNotBefore,
  type CheckTime,
  type Times,
} from './check-times.js'
import { malformedNames } from './claim-names.js'
import { isTemplate } from './issuer-template.js'
import type { Claims } from './profiles.js'

/** One check of a token's header or claims. */
export interface ClaimCheck {
  readonly name: ClaimCheckName
  /** The names of the options that control this check. */
  readonly option: string
  /** `now` in milliseconds. */
  readonly check: (token: ReadToken, rules: ClaimRules, now: number) => Refusal | undefined
  /** Returns the values that were checked, keyed by name. `explain` prints these values. */
  readonly shows: (token: ReadToken, rules: ClaimRules) => Claims
}

export type ClaimCheckName =
  | 'typ'
  | 'kind'
  | 'required claims'
  | 'claim types'
  | 'iss'
  | 'exp'
  | 'nbf'
  | 'iat'
  | 'age'
  | 'audience'

/** The cast is safe because the types of the time claims have already been checked. */
function time(check: CheckTime): ClaimCheck['check'] {
  return ({ claims }, rules, now) => check(claims as unknown as Times, rules, now)
}

/** The checks of the claims' types and values. */
const valueChecks: readonly ClaimCheck[] = [
  {
    name: 'claim types',
    option: 'none',
    check: ({ claims }, rules) => checkTypes(claims, rules),
    shows: ({ claims }, rules) => misfits(claims, rules) ?? { claims: Object.keys(claims) },
  },
  {
    name: 'iss',
    option: 'issuer',
    check: ({ claims }, rules) => checkIssuer(claims, rules),
    shows: ({ claims: { iss, tid } }, { issuer }) => (isTemplate(issuer) ? { iss, tid } : { iss }),
  },
  {
    name: 'exp',
    option: 'clockToleranceMs',
    check: time(checkExpiry),
    shows: ({ claims: { exp } }) => ({ exp }),
  },
  {
    name: 'nbf',
    option: 'clockToleranceMs',
    check: time(checkNotBefore),
    shows: ({ claims: { nbf } }) => ({ nbf }),
  },
  {
    name: 'iat',
    option: 'clockToleranceMs',
    check: time(checkIssuedAt),
    shows: ({ claims: { iat } }) => ({ iat }),
  },
  {
    name: 'age',
    option: 'maxTokenAgeMs',
    check: time(checkAge),
    shows: ({ claims: { iat } }, { maxTokenAgeMs }) => (maxTokenAgeMs === Infinity ? {} : { iat }),
  },
  {
    name: 'audience',
    option: 'audience',
    check: ({ claims }, rules) => checkAudience(claims, rules),
    shows: ({ claims }, { profile }) => pick(claims, [profile.audience]),
  },
]

/** All checks of a token's header and claims, in the order in which they run (RFC 7519 §7.2, RFC 9068 §4). */
export const claimChecks: readonly ClaimCheck[] = [
  {
    name: 'typ',
    option: 'profile',
    check: ({ header }, rules) => checkType(header.type, rules),
    shows: ({ header }) => ({ typ: header.type }),
  },
  {
    name: 'kind',
    option: 'profile',
    check: ({ claims }, { profile }) => checkKind(claims, profile),
    shows: ({ claims }, { profile }) => pick(claims, [...profile.fixed.map(([claim]) => claim), 'events']),
  },
  {
    name: 'required claims',
    option: 'profile, requiredClaims',
    check: ({ claims }, { required }) => checkPresence(claims, required),
    shows: ({ claims }) => ({ present: Object.keys(claims) }),
  },
  ...valueChecks,
]

/**
 * Checks the types of the registered claims, then the issuer, the times and the audience. `now` is in milliseconds
 * since the epoch.
 */
export function checkValues(claims: Claims, rules: ClaimRules, now: number): Refusal | undefined {
  const token = { header: { type: null }, claims }
  for (const { check } of valueChecks) {
    const refusal = check(token, rules, now)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function pick(claims: Claims, names: readonly string[]): Claims {
  return Object.fromEntries(names.map(name => [name, claims[name]]))
}

function misfits(claims: Claims, rules: ClaimRules): Claims | undefined {
  const names = typedClaims
    .filter(({ claim, fits }) => claims[claim] !== undefined && !fits(claims[claim]))
    .map(({ claim }) => claim)
  const malformed = malformedNames(claims, rules)?.split('.')[0]
  const all = malformed === undefined ? names : [...names, malformed]
  return all.length === 0 ? undefined : pick(claims, all)
}
