import type { RefusalReason } from 'fastify-resource-server'
import type { Check, SentToken } from './exchange.js'

/** What the resource server found. */
export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly detail: string | undefined }

interface Step {
  readonly name: string
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
    option: 'route: config.oauth',
    reasons: ['missing', 'credentials', 'malformed'],
    describe: () => 'one bearer token, a JWT',
  },
  {
    name: 'signature',
    option: 'issuer → jwks_uri',
    reasons: ['algorithm', 'unknown_key', 'signature', 'keys_unavailable'],
    describe: ({ header }) => `${text(header['alg'])}, by key ${text(header['kid'])} of the issuer`,
  },
  {
    name: 'type',
    option: 'profile',
    reasons: ['type'],
    describe: ({ header }) => `typ is ${text(header['typ'])}`,
  },
  {
    name: 'claims',
    option: 'profile, requiredClaims',
    reasons: ['claim'],
    describe: ({ claims }) => `present: ${Object.keys(claims).join(', ')}`,
  },
  {
    name: 'issuer',
    option: 'issuer',
    reasons: ['issuer'],
    describe: ({ claims }) => `iss is ${text(claims['iss'])}`,
  },
  {
    name: 'time',
    option: 'clockToleranceMs',
    reasons: ['expired', 'not_yet_valid'],
    describe: ({ claims }) => `exp is ${time(claims['exp'])}`,
  },
  {
    name: 'audience',
    option: 'audience',
    reasons: ['audience'],
    describe: ({ claims }) => `aud is ${text(claims['aud'])}`,
  },
  {
    name: 'scope',
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
  return steps.map(({ name, option, describe }, index): Check => {
    const finding = token === undefined ? '' : describe(token)
    if (index < failedAt) return { name, option, finding, outcome: 'passed' }
    if (index > failedAt || verdict.allowed) return { name, option, finding: '', outcome: 'not reached' }
    const reason = verdict.detail ?? verdict.reason.replaceAll('_', ' ')
    return { name, option, outcome: 'failed', finding: finding === '' ? reason : `${reason}: ${finding}` }
  })
}

function text(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : 'absent'
}

function time(exp: unknown): string {
  return typeof exp === 'number' ? new Date(exp * 1000).toISOString().replace(/\.\d+Z/, 'Z') : 'absent'
}
