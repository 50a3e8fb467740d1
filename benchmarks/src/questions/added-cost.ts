import type { AddedCosts } from '../added-cost.js'
import { algorithms, bearerTokens, startIssuer } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { startServer } from '../harness/server-process.js'
import { fact } from './fact.js'
import type { Effort, Fact, Question } from './question.js'

/** Within each process, after which it takes the median. */
const rounds = 15

export const addedCost: Question = {
  name: 'added-cost',
  title: 'The cost that token verification adds',
  method:
    'The guard is the hook with which fastify-resource-server verifies the token of a request. The table contains the processor time that the guard uses on the main thread, without HTTP, and the processor time of one bare signature verification. The guard and the signature verification are measured in alternation and in several processes, so that other work on the machine has little effect. The table also contains the processor time of one HTTP request to bare Fastify. “Of bare Fastify” means bare ÷ (bare + guard), and “of limit” means (bare + signature) ÷ (bare + guard).',
  async answer(effort) {
    const bare = await bareFastify(effort)
    const costs: AddedCosts[] = []
    for (let process = 0; process < effort.processes; process += 1) {
      effort.tell(`the guard: process ${process + 1} of ${effort.processes}`)
      costs.push(await guardCosts())
    }
    const of = (name: string): number[] => costs.map(cost => cost[name] ?? Number.NaN)
    return {
      facts: [
        fact('bare Fastify: a request over HTTP', bare, 'µs'),
        ...Object.keys(costs[0] ?? {}).map(name => fact(name, of(name), 'µs')),
        ...algorithms.flatMap(algorithm => ratios(algorithm, bare, of)),
      ],
    }
  },
}

function ratios(algorithm: string, bare: readonly number[], of: (name: string) => number[]): Fact[] {
  const signature = of(`${algorithm}, one bare crypto.verify`)
  const relative = (name: string, base: readonly number[]): number[] =>
    of(`${algorithm}, ${name}`).map((cost, process) => {
      const request = bare[process] ?? Number.NaN
      return (request + (base[process] ?? 0)) / (request + cost)
    })
  return [
    fact(`${algorithm}, a repeated token: of bare Fastify`, relative('a repeated token', []), '×', {
      atLeast: 0.92,
    }),
    fact(`${algorithm}, every token new, one thread: of limit`, relative('a new token', signature), '×', {
      atLeast: 0.92,
    }),
  ]
}

async function guardCosts(): Promise<AddedCosts> {
  const guard = await startServer('the guard', 'added-cost', { rounds })
  try {
    return await guard.ask<AddedCosts>('costs')
  } finally {
    await guard.stop()
  }
}

/** Microseconds of processor time for one request, of each process. */
async function bareFastify(effort: Effort): Promise<readonly number[]> {
  const name = 'bare Fastify'
  const { issuer } = await startIssuer('ES256')
  try {
    const credentials = await bearerTokens(issuer, 1)
    const load = { path: '/orders', credentials, seconds: effort.secondsPerSlice }
    const server = underLoad({ name, file: 'servers/bare-fastify', config: {}, load }, effort.load)
    const { processor } = await measureProcesses([server], effort, what => effort.tell(`${name}: ${what}`))
    return processor[name] ?? []
  } finally {
    await issuer.close()
  }
}
