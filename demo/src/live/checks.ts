import type { RefusalReason } from 'fastify-resource-server'
import type { Check, DecodedToken } from './exchange.js'

/** What is shown of a token. */
type Shown = Pick<DecodedToken, 'header' | 'claims'>

/** What the resource server found. */
export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly detail: string | undefined }

interface Step {
  readonly name: string
  /** What is asked, in plain words. */
  readonly question: string
  /** What a failure means. */
  readonly refusal: string
  /** The option of the resource server that configures it. */
  readonly option: string
  /** Why a token fails here. */
  readonly reasons: readonly RefusalReason[]
  readonly describe: (token: Shown) => string
}

/** In the order in which the plugin goes through them. */
const steps: readonly Step[] = [
  {
    name: 'token',
    question: 'Is there exactly one token, and can it be read?',
    refusal: 'it is missing, or cannot be read',
    option: 'route: config.oauth',
    reasons: ['missing', 'credentials', 'malformed'],
    describe: () => 'one bearer token, a JWT',
  },
  {
    name: 'signature',
    question: 'Did the issuer sign it?',
    refusal: 'the issuer did not sign it',
    option: 'issuer → jwks_uri',
    reasons: ['algorithm', 'unknown_key', 'signature', 'unavailable'],
    describe: ({ header }) => `${text(header['alg'])}, by key ${text(header['kid'])} of the issuer`,
  },
  {
    name: 'type',
    question: 'Is it an access token?',
    refusal: 'it is not an access token',
    option: 'profile',
    reasons: ['type'],
    describe: ({ header }) => `typ is ${text(header['typ'])}`,
  },
  {
    name: 'claims',
    question: 'Does it have every claim that is required?',
    refusal: 'it lacks a claim that it must have',
    option: 'profile, requiredClaims',
    reasons: ['claim'],
    describe: ({ claims }) => `present: ${Object.keys(claims).join(', ')}`,
  },
  {
    name: 'issuer',
    question: 'Is it from the issuer this service trusts?',
    refusal: 'it comes from another issuer',
    option: 'issuer',
    reasons: ['issuer'],
    describe: ({ claims }) => `iss is ${text(claims['iss'])}`,
  },
  {
    name: 'time',
    question: 'Is it still valid?',
    refusal: 'it has expired, or is not valid yet',
    option: 'clockToleranceMs',
    reasons: ['expired', 'not_yet_valid'],
    describe: ({ claims }) => `exp is ${time(claims['exp'])}`,
  },
  {
    name: 'audience',
    question: 'Was it issued for this service?',
    refusal: 'it was issued for another service',
    option: 'audience',
    reasons: ['audience'],
    describe: ({ claims }) => `aud is ${text(claims['aud'])}`,
  },
  {
    name: 'scope',
    question: 'Does it allow this request?',
    refusal: 'it does not allow this request',
    option: 'route: config.oauth.scopes',
    reasons: ['scope'],
    describe: ({ claims }) => `granted: ${text(claims['scope'] ?? claims['scp'] ?? claims['roles'])}`,
  },
]

/** One line for each step of verification. */
export function checksOf(verdict: Verdict, token: Shown | undefined): Check[] {
  const failedAt = verdict.allowed
    ? steps.length
    : steps.findIndex(({ reasons }) => (reasons as readonly string[]).includes(verdict.reason))
  return steps.map(({ name, question, refusal, option, describe }, index): Check => {
    const check = (outcome: Check['outcome'], finding: string): Check => ({
      name,
      question,
      refusal,
      option,
      outcome,
      finding,
    })
    const finding = token === undefined ? '' : describe(token)
    if (index < failedAt) return check('passed', finding)
    if (index > failedAt || verdict.allowed) return check('not reached', '')
    const reason = verdict.detail ?? verdict.reason.replaceAll('_', ' ')
    return check('failed', finding === '' ? reason : `${reason}: ${finding}`)
  })
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : 'absent'
}

function time(exp: unknown): string {
  if (typeof exp !== 'number') return 'absent'
  const date = new Date(exp * 1000)
  // Any number may be written there; a date has bounds (ECMA-262 §21.4.1.1).
  return Number.isNaN(date.getTime()) ? String(exp) : date.toISOString().replace(/\.\d+Z/, 'Z')
}
