import { alternate, type Comparison, type Goal } from '../harness/comparison.js'
import { algorithms, bearerTokens, startIssuer, type Algorithm } from '../harness/issuer.js'
import type { Credentials } from '../harness/load.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Effort, Question } from './question.js'

const ours = 'fastify-resource-server'
const bare = 'bare Fastify'
const limit = 'limit'

const contenders = [
  [bare, 'servers/bare-fastify'],
  [limit, 'servers/limit'],
  [ours, 'servers/resource-server'],
  ['jose in a hook', 'servers/jose'],
  ['fastify-jwt-jwks', 'servers/fastify-jwt-jwks'],
  ['@fastify/jwt + get-jwks', 'servers/fastify-jwt'],
  ['express-oauth2-jwt-bearer', 'servers/express'],
] as const

/** More than any of the contenders' caches holds. */
const distinctTokens = 8_000

export const protectedRoute: Question = {
  name: 'protected-route',
  title: 'A protected route',
  method: `The same route in each server, asked with the same \`Authorization\` headers. “Repeated”: one token over and over. “New”: ${distinctTokens} tokens in turn, more than any cache holds, so that each has to be verified. \`limit\` is bare Fastify plus one raw \`crypto.verify\` a request.`,
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
  const servers = await Promise.all(
    contenders.map(([name, file]) => startServer(name, file, { ...trust, algorithm })),
  )
  try {
    return [
      await measure(`${algorithm}, a repeated token`, servers, tokens.slice(0, 1), effort, [
        { contender: ours, of: bare, atLeast: 0.9 },
      ]),
      await measure(`${algorithm}, every token new`, servers, tokens, effort, [
        { contender: ours, of: limit, atLeast: 0.92 },
      ]),
    ]
  } finally {
    await Promise.all(servers.map(server => server.stop()))
    await issuer.close()
  }
}

// oxlint-disable-next-line max-params -- one call for each table
async function measure(
  title: string,
  servers: readonly ServerProcess[],
  credentials: Credentials,
  { rounds, secondsPerSlice, load, tell }: Effort,
  goals: readonly Goal[],
): Promise<Comparison> {
  const able = await accepting(servers, credentials[0] ?? '')
  const rates = await alternate(
    servers
      .filter(server => able.has(server))
      .map(({ name, url }) => ({
        name,
        async measure() {
          const slice = await load.send(url, { path: '/orders', credentials, seconds: secondsPerSlice })
          if (slice.refused + slice.failed > 0)
            throw new Error(
              `${name} refused ${slice.refused} and failed ${slice.failed} of ${slice.requests}`,
            )
          return slice.requests / slice.seconds
        },
      })),
    rounds,
    round => tell(`${title}: round ${round + 1} of ${rounds}`),
  )
  return {
    title,
    unit: 'requests/s',
    rates: Object.fromEntries(servers.map(({ name }) => [name, rates[name] ?? null])),
    baselines: [bare, limit],
    goals,
  }
}

/** Not every peer can verify every algorithm. */
async function accepting(
  servers: readonly ServerProcess[],
  authorization: string,
): Promise<ReadonlySet<ServerProcess>> {
  const able = new Set<ServerProcess>()
  for (const server of servers) {
    const { status } = await fetch(`${server.url}/orders`, { headers: { authorization } })
    if (status === 200) able.add(server)
  }
  return able
}
