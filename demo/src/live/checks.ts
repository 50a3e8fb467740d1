import type { RefusalReason } from 'fastify-resource-server'
import type { Check, SentToken } from './exchange.js'

/** What the resource server found. */
export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly detail: string | undefined }

interface Step {
  readonly name: string
  /** What is asked, in plain words. */
  readonly question: string
  /** The option of the resource server that configures it. */
  readonly option: string
  /** Why a token fails here. */
  readonly reasons: readonly RefusalReason[]
  readonly describe: (token: SentToken) => string
}

/** In the order in which the plugin goes through them. */
const steps: readonly Step[] = [
  {
    name: 'token',
    question: 'Is there one token, and is it one that can be read?',
    option: 'route: config.oauth',
    reasons: ['missing', 'credentials', 'malformed'],
    describe: () => 'one bearer token, a JWT',
  },
  {
    name: 'signature',
    question: 'Did the issuer sign it?',
    option: 'issuer → jwks_uri',
    reasons: ['algorithm', 'unknown_key', 'signature', 'unavailable'],
    describe: ({ header }) => `${text(header['alg'])}, by key ${text(header['kid'])} of the issuer`,
  },
  {
    name: 'type',
    question: 'Is it an access token, and nothing else?',
    option: 'profile',
    reasons: ['type'],
    describe: ({ header }) => `typ is ${text(header['typ'])}`,
  },
  {
    name: 'claims',
    question: 'Does it say all that it must?',
    option: 'profile, requiredClaims',
    reasons: ['claim'],
    describe: ({ claims }) => `present: ${Object.keys(claims).join(', ')}`,
  },
  {
    name: 'issuer',
    question: 'Does it come from the issuer that is trusted here?',
    option: 'issuer',
    reasons: ['issuer'],
    describe: ({ claims }) => `iss is ${text(claims['iss'])}`,
  },
  {
    name: 'time',
    question: 'Is it still valid?',
    option: 'clockToleranceMs',
    reasons: ['expired', 'not_yet_valid'],
    describe: ({ claims }) => `exp is ${time(claims['exp'])}`,
  },
  {
    name: 'audience',
    question: 'Is it meant for this service?',
    option: 'audience',
    reasons: ['audience'],
    describe: ({ claims }) => `aud is ${text(claims['aud'])}`,
  },
  {
    name: 'scope',
    question: 'Does it allow this request?',
    option: 'route: config.oauth.scopes',
    reasons: ['scope'],
    describe: ({ claims }) => `granted: ${text(claims['scope'] ?? claims['scp'] ?? claims['roles'])}`,
  },
]

/** One line for each step of verification. */
export function checksOf(verdict: Verdict, token: SentToken | undefined): Check[] {
  const failedAt = verdict.allowed
    ? steps.length
    : steps.findIndex(({ reasons }) => (reasons as readonly string[]).includes(verdict.reason))
  return steps.map(({ name, question, option, describe }, index): Check => {
    const check = (outcome: Check['outcome'], finding: string): Check => ({
      name,
      question,
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
