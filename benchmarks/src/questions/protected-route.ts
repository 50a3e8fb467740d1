import { alternate } from '../harness/alternate.js'
import type { Comparison, Goal } from '../harness/comparison.js'
import { algorithms, bearerTokens, startIssuer, type Algorithm } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import type { Credentials } from '../harness/load.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Effort, Question } from './question.js'

const ours = 'fastify-resource-server'
const oneThread = 'fastify-resource-server, one thread'
const bare = 'bare Fastify'
const limit = 'limit'
const least = 'the least'

const contenders = [
  [bare, 'bare-fastify', {}],
  [limit, 'limit', {}],
  [least, 'least', {}],
  [ours, 'resource-server', {}],
  [oneThread, 'resource-server', { options: { verifyInThreadPool: false } }],
  ['jose in a hook', 'jose', {}],
  ['fastify-jwt-jwks', 'fastify-jwt-jwks', {}],
  ['@fastify/jwt + get-jwks', 'fastify-jwt', {}],
  ['express-oauth2-jwt-bearer', 'express', {}],
] as const

/** V8 goes on compiling for some 30,000 requests. */
const warmUp = 5

/** More than any of the contenders' caches holds. */
const distinctTokens = 8_000

export const protectedRoute: Question = {
  name: 'protected-route',
  title: 'A protected route',
  method: `The same route in each server, asked with the same \`Authorization\` headers. “Repeated”: one token over and over. “New”: ${distinctTokens} tokens in turn, more than any cache holds, so that each has to be verified. \`limit\` is bare Fastify plus one raw \`crypto.verify\` a request; “the least” adds what cannot be left out: the claims, read as JSON and compared. It forgets and forgives everything, and shows how near the limit one can come. “One thread” is \`verifyInThreadPool: false\`; jose always verifies in the thread pool.`,
  async answer(effort) {
    const comparisons: Comparison[] = []
    for (const algorithm of algorithms) comparisons.push(...(await compare(algorithm, effort)))
    return { comparisons }
  },
}

async function compare(algorithm: Algorithm, effort: Effort): Promise<Comparison[]> {
  effort.tell(`${algorithm}: signing ${distinctTokens} tokens`)
  const { issuer, trust } = await startIssuer(algorithm)
  const tokens = await bearerTokens(issuer, distinctTokens)
  const servers: ServerProcess[] = []
  for (const [name, file, more] of contenders) {
    const server = await startServer(name, `servers/${file}`, { ...trust, algorithm, ...more })
    servers.push(server)
    // At once, and alone: what V8 learns of a server that starts beside seven others, and then waits, is learned badly.
    await effort.load.send(server.url, { path: '/orders', credentials: tokens.slice(0, 1), seconds: 1 })
  }
  const repeated = servers.filter(({ name }) => name !== oneThread && name !== least)
  try {
    return [
      await measure(
        { title: `${algorithm}, a repeated token`, credentials: tokens.slice(0, 1) },
        repeated,
        effort,
        [{ contender: ours, of: bare, atLeast: 0.9 }],
      ),
      await measure({ title: `${algorithm}, every token new`, credentials: tokens }, servers, effort, [
        { contender: oneThread, of: limit, atLeast: 0.92 },
        { contender: ours, of: limit, atLeast: 1 },
      ]),
    ]
  } finally {
    await Promise.all(servers.map(server => server.stop()))
    await issuer.close()
  }
}

async function measure(
  { title, credentials }: { title: string; credentials: Credentials },
  servers: readonly ServerProcess[],
  { rounds, secondsPerSlice: seconds, load, tell }: Effort,
  goals: readonly Goal[],
): Promise<Comparison> {
  const able = await accepting(servers, credentials[0] ?? '')
  const { rates, processor } = await alternate(
    able.map(server => underLoad(server, load, { path: '/orders', credentials, seconds })),
    { rounds, warmUp },
    round => tell(`${title}: round ${round + 1} of ${rounds}`),
  )
  return {
    title,
    unit: 'requests/s',
    rates: Object.fromEntries(servers.map(({ name }) => [name, rates[name] ?? null])),
    processor,
    baselines: [bare, limit],
    goals,
  }
}

/** Not every peer can verify every algorithm. */
async function accepting(servers: readonly ServerProcess[], authorization: string): Promise<ServerProcess[]> {
  const able: ServerProcess[] = []
  for (const server of servers) {
    const { status } = await fetch(`${server.url}/orders`, { headers: { authorization } })
    if (status === 200) able.push(server)
  }
  return able
}
