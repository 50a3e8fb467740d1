import type { AddedCosts } from '../added-cost.js'
import { bearerTokens, startIssuer, algorithms } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import { spread } from '../harness/comparison.js'
import { startServer } from '../harness/server-process.js'
import type { Effort, Fact, Question } from './question.js'

export const addedCost: Question = {
  name: 'added-cost',
  title: 'What the guard adds to a request',
  method:
    'Processor time of the main thread in the guard alone, without HTTP, in turns with a bare signature: what other work shares the machine disturbs it least. Beside it, what bare Fastify takes for a request over HTTP. “Of bare Fastify” is bare ÷ (bare + guard); “of limit” is (bare + signature) ÷ (bare + guard).',
  async answer(effort) {
    const bare = await bareFastify(effort)
    effort.tell('the guard')
    const guard = await startServer('the guard', 'added-cost', { rounds: 5 * effort.rounds })
    const costs = await guard.ask<AddedCosts>('costs')
    await guard.stop()
    const of = (name: string): number => costs[name] ?? Number.NaN
    const ratios = algorithms.flatMap((algorithm): Fact[] => {
      const signature = of(`${algorithm}, one bare crypto.verify`)
      return [
        {
          what: `${algorithm}, a repeated token: of bare Fastify`,
          value: bare / (bare + of(`${algorithm}, a repeated token`)),
          unit: '×',
          atLeast: 0.9,
        },
        {
          what: `${algorithm}, every token new, one thread: of limit`,
          value: (bare + signature) / (bare + of(`${algorithm}, a new token`)),
          unit: '×',
          atLeast: 0.92,
        },
      ]
    })
    return {
      facts: [
        { what: 'bare Fastify: a request over HTTP', value: bare, unit: 'µs' },
        ...Object.entries(costs).map(([what, value]) => ({ what, value, unit: 'µs' })),
        ...ratios,
      ],
    }
  },
}

/** Microseconds of processor time for one request, in the slice that was disturbed least. */
async function bareFastify({ load, rounds, tell }: Effort): Promise<number> {
  tell('bare Fastify')
  const { issuer } = await startIssuer('ES256')
  const server = await startServer('bare Fastify', 'servers/bare-fastify', {})
  const credentials = await bearerTokens(issuer, 1)
  const contender = underLoad(server, load, { path: '/orders', credentials, seconds: 1 })
  const measured: number[] = []
  await contender.measure()
  for (let round = 0; round < rounds; round += 1)
    measured.push((await contender.measure()).processor ?? Number.NaN)
  await Promise.all([server.stop(), issuer.close()])
  return spread(measured).low
}
