import { randomBytes } from 'node:crypto'
import { alternate } from '../harness/alternate.js'
import type { Comparison } from '../harness/comparison.js'
import { scope, startIssuer } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import type { Credentials } from '../harness/load.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Answer } from '../servers/refusing.js'
import type { Effort, Question } from './question.js'

const ours = 'fastify-resource-server'
const bare = 'bare Fastify, same answer'
const least = 'the least'
const neverSeen = 'expired and new'

export const refusedRequests: Question = {
  name: 'refused-requests',
  title: 'Refused requests',
  method:
    'What a flood of bad requests costs. The baseline is a bare Fastify route that sends the same status, challenge and body without looking at the request. Garbage: 1,000 different strings of 40 to 600 characters. Expired: 1,000 different tokens, well signed, an hour old, over and over, as clients send them that keep theirs for too long; “new”: 8,000 of them in turn, more than are remembered, and beside it “the least”: the same answer from a hook that reads the claims as JSON and compares their time, and does nothing else. Missing scope: one valid token of another scope. The server has let a request in before.',
  async answer(effort) {
    const { issuer, trust } = await startIssuer('ES256')
    const expired = await Promise.all(
      Array.from(
        { length: 8_000 },
        async () => `Bearer ${await issuer.token({ scopes: [scope], expiresInMs: -3_600_000 })}`,
      ),
    )
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
      [neverSeen, expired, 0.8],
      ['missing scope', [`Bearer ${await issuer.token({ scopes: ['orders:write'] })}`], 0.8],
    ]
    const server = await startServer(ours, 'servers/resource-server', trust)
    const authorization = `Bearer ${await issuer.token({ scopes: [scope] })}`
    const { status } = await fetch(`${server.url}/orders`, { headers: { authorization } })
    if (status !== 200) throw new Error(`${ours} answers ${status} to a valid token`)
    const answers = await Promise.all(
      cases.map(([name, [first]]) => answerOf(server.url, `/${name.replaceAll(' ', '-')}`, first)),
    )
    const baseline = await startServer(bare, 'servers/refusing', { answers })
    const late = answers.find(({ path }) => path === '/expired')
    const reader = await startServer(least, 'servers/least', { ...trust, late })
    const comparisons: Comparison[] = []
    try {
      for (const [index, [title, credentials, atLeast]] of cases.entries()) {
        const underLoadAt = (process: ServerProcess, path: string) =>
          underLoad(process, effort.load, loadOf(path, credentials, effort), 'refuses')
        comparisons.push(
          await compare(title, effort, atLeast, [
            underLoadAt(baseline, answers[index]?.path ?? ''),
            underLoadAt(server, '/orders'),
            ...(title === neverSeen ? [underLoadAt(reader, '/orders')] : []),
          ]),
        )
      }
    } finally {
      await Promise.all([server.stop(), baseline.stop(), reader.stop(), issuer.close()])
    }
    return { comparisons }
  },
}

const loadOf = (path: string, credentials: Credentials, { secondsPerSlice: seconds }: Effort) => ({
  path,
  credentials,
  seconds,
})

async function compare(
  title: string,
  { rounds, tell }: Effort,
  atLeast: number,
  contenders: Parameters<typeof alternate>[0],
): Promise<Comparison> {
  const measured = await alternate(contenders, { rounds }, round =>
    tell(`${title}: round ${round + 1} of ${rounds}`),
  )
  return {
    title: `Refused: ${title}`,
    unit: 'requests/s',
    ...measured,
    baselines: [bare],
    goals: [{ contender: ours, of: bare, atLeast }],
  }
}

/** What the server answers to this, to be answered in the same words by the baseline. */
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
