// A process of its own: the processor time that the guard adds to a request, and that of two bare operations, in alternation.
import { randomBytes } from 'node:crypto'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import { median } from './harness/interval.js'
import { guardedApp, guardRequests, processorTime, type Run } from './harness/guard-requests.js'
import { algorithms, audience, scope, type Algorithm } from './harness/issuer.js'
import { serve } from './harness/serve.js'
import { signatureOf } from './servers/signature.js'

/** Microseconds by case; medians. */
export type AddedCosts = Readonly<Record<string, number>>

interface Config {
  readonly rounds: number
  /** All by default. */
  readonly algorithms?: readonly Algorithm[]
}

/** More than the cache holds, so that each is new. */
const distinctTokens = 2_000

async function guardOf(issuer: TestIssuer, tokens: readonly (string | undefined)[]): Promise<Run> {
  const guarded = await guardedApp({
    issuer: issuer.url,
    audience,
    keys: issuer.jwks.keys,
    verifyInThreadPool: false,
    prefetch: 'required',
  })
  // A server that refuses some tokens accepts others, so it has decoded the issuer's JWS header before.
  await guarded.app.oauth.verify(await issuer.token({ scopes: [scope] }))
  return guardRequests(guarded, scope, tokens)
}

async function casesOf(chosen: readonly Algorithm[]): Promise<Map<string, { run: Run; count: number }>> {
  const cases = new Map<string, { run: Run; count: number }>()
  for (const algorithm of chosen) {
    const issuer = await createTestIssuer({ listen: false, algorithm, audience, expiresInMs: 86_400_000 })
    const token = (options: object = {}): Promise<string> =>
      issuer.token({ scopes: [scope, 'orders:write'], clientId: 'payment', ...options })
    const tokens = await Promise.all(Array.from({ length: distinctTokens }, () => token()))
    const [first = ''] = tokens
    const signature = signatureOf(issuer.jwks.keys[0] ?? {}, first)
    cases.set(`${algorithm}, one bare crypto.verify`, { run: signature, count: 500 })
    if (algorithm === 'ES256') cases.set('one bare JSON.parse', { run: jsonParseOf(first), count: 10_000 })
    cases.set(`${algorithm}, a new token`, { run: await guardOf(issuer, tokens), count: 500 })
    cases.set(`${algorithm}, a repeated token`, { run: await guardOf(issuer, [first]), count: 10_000 })
    if (algorithm !== 'ES256') continue
    const garbage = Array.from({ length: 100 }, (_, n) => randomBytes(30 + n * 4).toString('base64url'))
    const refused = {
      'refused: no token': [undefined],
      'refused: garbage': garbage,
      'refused: expired': [await token({ expiresInMs: -3_600_000 })],
      'refused: missing scope': [await token({ scopes: [] })],
    }
    for (const [name, sent] of Object.entries(refused))
      cases.set(name, { run: await guardOf(issuer, sent), count: 5_000 })
  }
  return cases
}

/** Reads the claims of a token again and again: work for V8 alone, as most of the guard is. */
function jsonParseOf(token: string): Run {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return count => {
    for (let index = 0; index < count; index += 1) JSON.parse(claims)
  }
}

async function measure({ rounds, algorithms: chosen = algorithms }: Config): Promise<AddedCosts> {
  const cases = await casesOf(chosen)
  const measured = new Map<string, number[]>()
  for (let round = -2; round < rounds; round += 1)
    for (const [name, { run, count }] of cases) {
      const cost = processorTime(run, count)
      if (round >= 0) measured.set(name, [...(measured.get(name) ?? []), cost])
    }
  return Object.fromEntries([...measured].map(([name, costs]) => [name, median(costs)]))
}

let config: Config = { rounds: 1 }
await serve(
  async (given: Config) => {
    config = given
    return ''
  },
  { costs: () => measure(config) },
)
