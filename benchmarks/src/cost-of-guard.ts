// A process of its own: what the guard costs the main thread for one request, and how that grows with what it is given.
import type { ResourceServerOptions } from 'fastify-resource-server'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import { median } from './harness/interval.js'
import { guardedApp, guardRequests, processorTime, type Run } from './harness/guard-requests.js'
import { audience } from './harness/issuer.js'
import { serve } from './harness/serve.js'

/** What grows, and how far. */
const sizes = {
  scopes: [1, 10, 100, 500],
  issuers: [1, 10, 100, 1_000],
  keys: [1, 4, 16, 64, 256],
  characters: [500, 1_000, 2_000, 4_000, 8_000, 16_000],
} as const
export type Dimension = keyof typeof sizes

/** Microseconds of processor time for one request, for each size. */
export interface Grown {
  readonly dimension: Dimension
  readonly sizes: readonly number[]
  readonly repeated: readonly number[]
  readonly unseen: readonly number[]
}

const scopesOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `orders:read:${n}`)
const issuerAt = (n: number): Promise<TestIssuer> =>
  createTestIssuer({
    listen: false,
    origin: `https://issuer-${n}.test`,
    algorithm: 'ES256',
    audience,
    expiresInMs: 86_400_000,
  })

/** An API that trusts these issuers, and a token of each of them. */
interface Case {
  readonly issuers: readonly TestIssuer[]
  readonly tokens: readonly string[]
  readonly scope: string
}

const prepare: Readonly<Record<Dimension, (size: number) => Promise<Case>>> = {
  async scopes(size) {
    const issuer = await issuerAt(0)
    const scopes = scopesOf(size)
    return { issuers: [issuer], tokens: [await issuer.token({ scopes })], scope: scopes.at(-1) ?? '' }
  },
  async issuers(size) {
    const issuers = await Promise.all(Array.from({ length: size }, (_, n) => issuerAt(n)))
    const [scope = ''] = scopesOf(1)
    // As many different tokens for every size: otherwise the processor's own caches would be what is measured.
    const tokens = await Promise.all(
      Array.from(
        { length: 1_000 },
        async (_, n) => (await issuers[n % size]?.token({ scopes: [scope] })) ?? '',
      ),
    )
    return { issuers, tokens, scope }
  },
  async keys(size) {
    const issuer = await issuerAt(0)
    const [scope = ''] = scopesOf(1)
    while (issuer.jwks.keys.length < size) await issuer.rotateKeys()
    // The newest key signs, and is the last one that is listed.
    return { issuers: [issuer], tokens: [await issuer.token({ scopes: [scope] })], scope }
  },
  async characters(size) {
    const issuer = await issuerAt(0)
    const [scope = ''] = scopesOf(1)
    const token = (note: string): Promise<string> => issuer.token({ scopes: [scope], claims: { note } })
    const missing = size - (await token('')).length
    return {
      issuers: [issuer],
      tokens: [await token('x'.repeat(Math.max(0, Math.floor(missing * 0.75))))],
      scope,
    }
  },
}

async function runOf(
  { issuers, tokens, scope }: Case,
  options: Partial<ResourceServerOptions>,
): Promise<Run> {
  const guarded = await guardedApp({
    issuers: issuers.map(({ url, jwks }) => ({ issuer: url, audience, keys: jwks.keys })),
    verifyInThreadPool: false,
    prefetch: 'required',
    ...options,
  })
  // The first signature of each key is verified twice, and asynchronously.
  await Promise.all(tokens.slice(0, issuers.length).map(token => guarded.app.oauth.verify(token)))
  return guardRequests(guarded, scope, tokens)
}

async function grow(dimension: Dimension, rounds: number): Promise<Grown> {
  const ways = [
    [{}, 20_000],
    // With no cache, the same token is new each time.
    [{ maxCachedTokens: 0 }, 1_000],
  ] as const
  const measured = new Map<Run, number[]>()
  const points: [Run, Run][] = []
  const counts = new Map<Run, number>()
  for (const size of sizes[dimension]) {
    const made = await prepare[dimension](size)
    const runs = await Promise.all(ways.map(([options]) => runOf(made, options)))
    for (const [index, run] of runs.entries()) counts.set(run, ways[index]?.[1] ?? 0)
    points.push(runs as [Run, Run])
  }
  for (const [run, count] of counts) processorTime(run, count)
  for (let round = 0; round < rounds; round += 1)
    for (const [run, count] of counts)
      measured.set(run, [...(measured.get(run) ?? []), processorTime(run, count)])
  const of = (run: Run): number => median(measured.get(run) ?? [])
  return {
    dimension,
    sizes: sizes[dimension],
    repeated: points.map(([repeated]) => of(repeated)),
    unseen: points.map(([, unseen]) => of(unseen)),
  }
}

let rounds = 1
await serve(
  async (config: { rounds: number }) => {
    ;({ rounds } = config)
    return ''
  },
  Object.fromEntries(
    (Object.keys(sizes) as Dimension[]).map(dimension => [dimension, () => grow(dimension, rounds)]),
  ),
)
