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
import type { Claims } from './profiles.js'

/** One rule about a token's header or claims. */
export interface ClaimCheck {
  readonly name: ClaimCheckName
  /** The options that control it. */
  readonly option: string
  /** `now` in milliseconds. */
  readonly check: (token: ReadToken, rules: ClaimRules, now: number) => Refusal | undefined
  /** The claims that it looks at. */
  readonly claims: (rules: ClaimRules) => readonly string[]
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

/** The type of each claim has been checked by then. */
function time(check: CheckTime): ClaimCheck['check'] {
  return ({ claims }, rules, now) => check(claims as unknown as Times, rules, now)
}

/** What the values of claims are checked for. */
const valueChecks: readonly ClaimCheck[] = [
  {
    name: 'claim types',
    option: 'none',
    check: ({ claims }) => checkTypes(claims),
    claims: () => typedClaims.map(({ claim }) => claim),
  },
  {
    name: 'iss',
    option: 'issuer',
    check: ({ claims }, rules) => checkIssuer(claims, rules),
    claims: ({ issuer }) => (issuer.includes('{tenantid}') ? ['iss', 'tid'] : ['iss']),
  },
  {
    name: 'exp',
    option: 'clockToleranceMs',
    check: time(checkExpiry),
    claims: () => ['exp'],
  },
  {
    name: 'nbf',
    option: 'clockToleranceMs',
    check: time(checkNotBefore),
    claims: () => ['nbf'],
  },
  {
    name: 'iat',
    option: 'clockToleranceMs',
    check: time(checkIssuedAt),
    claims: () => ['iat'],
  },
  {
    name: 'age',
    option: 'maxTokenAgeMs',
    check: time(checkAge),
    claims: ({ maxTokenAgeMs }) => (maxTokenAgeMs === Infinity ? [] : ['iat']),
  },
  {
    name: 'audience',
    option: 'audience',
    check: ({ claims }, rules) => checkAudience(claims, rules),
    claims: ({ profile }) => [profile.audience],
  },
]

/** What a token's header and claims are checked for, in this order (RFC 7519 §7.2, RFC 9068 §4). */
export const claimChecks: readonly ClaimCheck[] = [
  {
    name: 'typ',
    option: 'profile',
    check: ({ header }, rules) => checkType(header.type, rules),
    claims: () => [],
  },
  {
    name: 'kind',
    option: 'profile',
    check: ({ claims }, { profile }) => checkKind(claims, profile),
    claims: ({ profile }) => [...profile.fixed.map(([claim]) => claim), 'events'],
  },
  {
    name: 'required claims',
    option: 'profile, requiredClaims',
    check: ({ claims }, { required }) => checkPresence(claims, required),
    claims: ({ required }) => required.flat(),
  },
  ...valueChecks,
]

/** Checks the types of registered claims, then issuer, times and audience. `now` in milliseconds. */
export function checkValues(claims: Claims, rules: ClaimRules, now: number): Refusal | undefined {
  const token = { header: { type: null }, claims }
  for (const { check } of valueChecks) {
    const refusal = check(token, rules, now)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
