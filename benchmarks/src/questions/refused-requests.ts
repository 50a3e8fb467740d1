import { randomBytes } from 'node:crypto'
import type { Comparison } from '../harness/comparison.js'
import { scope, startIssuer } from '../harness/issuer.js'
import { underLoad, type LoadedServer } from '../harness/load-contender.js'
import type { Credentials } from '../harness/load.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Answer } from '../servers/refusing.js'
import type { Trust } from '../servers/trust.js'
import type { Effort, Question } from './question.js'

const ours = 'fastify-resource-server'
const bare = 'bare Fastify, same answer'
const least = 'the least'
const neverSeen = 'expired and new'

export const refusedRequests: Question = {
  name: 'refused-requests',
  title: 'Refused requests',
  method:
    'This measurement shows the cost of a flood of bad requests. The baseline is a bare Fastify route that sends the same status, challenge and body without reading the request. “Garbage” means 1,000 different strings of 40 to 600 characters in place of a token. “Expired” means 1,000 different tokens with valid signatures that expired an hour ago. The expired tokens are sent again and again, because some clients keep using expired tokens. “Expired and new” means 8,000 expired tokens in turn, which is more than the cache holds. “The least” is a hook that parses the claims as JSON, compares the expiry time and sends the same response. “Missing scope” means one valid token without the required scope. Before the measurement, fastify-resource-server accepts one valid token.',
  async answer(effort) {
    const { issuer, trust } = await startIssuer('ES256')
    const expired = await Promise.all(
      Array.from(
        { length: 8_000 },
        async () => `Bearer ${await issuer.token({ scopes: [scope], expiresInMs: -3_600_000 })}`,
      ),
    )
    const authorization = `Bearer ${await issuer.token({ scopes: [scope] })}`
    const cases: readonly [name: string, credentials: Credentials, atLeast: number][] = [
      ['no token', [undefined], 0.85],
      [
        'garbage',
        Array.from(
          { length: 1_000 },
          (_, index) => `Bearer ${randomBytes(30 + (index % 420)).toString('base64url')}`,
        ),
        0.8,
      ],
      ['expired', expired.slice(0, 1_000), 0.8],
      [neverSeen, expired, 0.75],
      ['missing scope', [`Bearer ${await issuer.token({ scopes: ['orders:write'] })}`], 0.8],
    ]
    const answers = await answersOf(trust, cases)
    const late = answers.find(({ path }) => path === '/expired')
    const comparisons: Comparison[] = []
    try {
      for (const [index, [title, credentials, atLeast]] of cases.entries()) {
        const load = { path: '/orders', credentials, seconds: effort.secondsPerSlice }
        const refusing = { ...load, path: answers[index]?.path ?? '' }
        const servers: LoadedServer[] = [
          { name: bare, file: 'servers/refusing', config: { answers }, load: refusing },
          { name: ours, file: 'servers/resource-server', config: trust, load, prepare: seen(authorization) },
        ]
        if (title === neverSeen)
          servers.push({ name: least, file: 'servers/least', config: { ...trust, late }, load })
        comparisons.push(await compare(title, effort, atLeast, servers))
      }
    } finally {
      await issuer.close()
    }
    return { comparisons }
  },
}

/** A server that refuses some requests also accepts others: it has seen one good token. */
function seen(authorization: string): (server: ServerProcess) => Promise<ServerProcess> {
  return async server => {
    const { status } = await fetch(`${server.url}/orders`, { headers: { authorization } })
    if (status !== 200) throw new Error(`${server.name} answers ${status} to a valid token`)
    return server
  }
}

async function compare(
  title: string,
  effort: Effort,
  atLeast: number,
  servers: readonly LoadedServer[],
): Promise<Comparison> {
  const measured = await measureProcesses(
    servers.map(server => underLoad({ ...server, expected: 'refuses' }, effort.load)),
    effort,
    what => effort.tell(`${title}: ${what}`),
  )
  return {
    title: `Refused: ${title}`,
    unit: 'requests/s',
    ...measured,
    baselines: [bare],
    goals: [{ contender: ours, of: bare, atLeast }],
  }
}

/** The answers of our server, which the baseline gives without looking at the request. */
async function answersOf(
  trust: Trust,
  cases: readonly (readonly [name: string, credentials: Credentials, ...rest: unknown[]])[],
): Promise<Answer[]> {
  const server = await startServer(ours, 'servers/resource-server', trust)
  try {
    return await Promise.all(
      cases.map(([name, [first]]) => answerOf(server.url, `/${name.replaceAll(' ', '-')}`, first)),
    )
  } finally {
    await server.stop()
  }
}

async function answerOf(url: string, path: string, authorization: string | undefined): Promise<Answer> {
  const response = await fetch(
    `${url}/orders`,
    authorization === undefined ? {} : { headers: { authorization } },
  )
  return {
    path,
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? '',
    body: (await response.json()) as object,
  }
}
