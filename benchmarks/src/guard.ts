// Has the guard become slower? `pnpm bench:guard` measures what it costs in signatures: processor time of one request,
// divided by that of one bare `crypto.verify` (ES256) measured in turns with it. So it compares with what is kept in
// guard.json on any machine. `--keep` keeps what is measured.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { createTestIssuer } from 'oauth-test-issuer'
import { spread } from './harness/comparison.js'
import { guardRequests, processorTime, type Run } from './harness/guard-requests.js'
import { audience, scope } from './harness/issuer.js'

const rounds = 15
/** A case may cost so much more than what is kept before it counts as slower. */
const tolerance = 1.25
const file = new URL('../guard.json', import.meta.url)
const { keep } = parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values

const issuer = await createTestIssuer({
  listen: false,
  algorithm: 'ES256',
  audience,
  expiresInMs: 86_400_000,
})
async function guardOf(maxCachedTokens: number, tokens: readonly (string | undefined)[]): Promise<Run> {
  const app = Fastify()
  await app.register(resourceServer, {
    issuer: issuer.url,
    audience,
    keys: issuer.jwks.keys,
    verifyInThreadPool: false,
    prefetch: 'required',
    maxCachedTokens,
  })
  await app.ready()
  return guardRequests(app, scope, tokens)
}

function bareVerify(): Run {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const data = Buffer.alloc(400, 'x')
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return count => {
    for (let index = 0; index < count; index += 1) verify('sha256', data, key, signature)
  }
}

const good = await issuer.token({ scopes: [scope], clientId: 'payment' })
const cases: Readonly<Record<string, { run: Run; count: number }>> = {
  'a repeated token': { run: await guardOf(1_000, [good]), count: 10_000 },
  'a new token': { run: await guardOf(0, [good]), count: 300 },
  'no token': { run: await guardOf(1_000, [undefined]), count: 10_000 },
  'an expired token': {
    run: await guardOf(1_000, [await issuer.token({ scopes: [scope], expiresInMs: -3_600_000 })]),
    count: 5_000,
  },
  'a token without the scope': {
    run: await guardOf(1_000, [await issuer.token({ scopes: ['orders:write'] })]),
    count: 10_000,
  },
}
const signature = bareVerify()

const measured: Record<string, number[]> = {}
// The first rounds are dropped: V8 has not compiled everything before.
for (let round = -3; round < rounds; round += 1)
  for (const [name, { run, count }] of Object.entries(cases)) {
    const cost = processorTime(run, count) / processorTime(signature, 300)
    if (round >= 0) (measured[name] ??= []).push(cost)
  }
const now = Object.fromEntries(
  Object.entries(measured).map(([name, costs]) => [name, Number(spread(costs).median.toPrecision(3))]),
)

if (keep) {
  writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`)
  console.log('Kept in benchmarks/guard.json')
}
const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
let slower = false
for (const [name, cost] of Object.entries(now)) {
  const before = kept[name] ?? Number.NaN
  const isSlower = !(cost <= before * tolerance)
  slower ||= isSlower
  console.log(`${isSlower ? '❌' : '✅'} ${name}: ${cost} signatures, kept ${before}`)
}
if (slower) {
  console.error(
    `\nSlower by more than ${Math.round((tolerance - 1) * 100)} %. Find out why: pnpm bench:profile`,
  )
  process.exitCode = 1
}
