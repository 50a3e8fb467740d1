import type { Comparison } from '../harness/comparison.js'
import { algorithms, bearerTokens, startIssuer, type Algorithm } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { bare, least, limit, oneThread, ours, protectedRoutes } from '../harness/protected-route.js'
import type { Effort, Question } from './question.js'

export const repeatedToken: Question = {
  name: 'repeated-token',
  title: 'A protected route, with a repeated token',
  method:
    'The same route in each server receives the same token again and again. Bare Fastify does not look at it; `limit` is bare Fastify plus one raw `crypto.verify` per request.',
  async answer(effort) {
    const comparisons: Comparison[] = []
    for (const algorithm of algorithms) comparisons.push(await compare(algorithm, effort))
    return { comparisons }
  },
}

async function compare(algorithm: Algorithm, effort: Effort): Promise<Comparison> {
  const { issuer, trust } = await startIssuer(algorithm)
  const title = `${algorithm}, a repeated token`
  try {
    const credentials = await bearerTokens(issuer, 1)
    const load = { path: '/orders', credentials, seconds: effort.secondsPerSlice }
    const routes = protectedRoutes(trust, algorithm, load).filter(
      // Both only differ from others for new tokens.
      ({ name }) => name !== oneThread && name !== least,
    )
    const measured = await measureProcesses(
      routes.map(route => underLoad(route, effort.load)),
      effort,
      what => effort.tell(`${title}: ${what}`),
    )
    return {
      title,
      unit: 'requests/s',
      ...measured,
      baselines: [bare, limit],
      goals: [{ contender: ours, of: bare, atLeast: 0.92 }],
    }
  } finally {
    await issuer.close()
  }
}
