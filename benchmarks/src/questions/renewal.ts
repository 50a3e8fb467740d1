import { setUpClient } from '../harness/client-set-up.js'
import { median } from '../harness/interval.js'
import { startServer } from '../harness/server-process.js'
import { fact } from './fact.js'
import type { Question } from './question.js'

interface Cycle {
  readonly during: number
  readonly otherwise: number
}

/** In each process. One cycle says little: its slowest hundredth is whatever else the machine did in that second. */
const renewals = 3

export const renewal: Question = {
  name: 'renewal',
  title: 'Calls while the token is renewed',
  method:
    'Tokens are valid for four seconds and renewed after about two seconds. The token endpoint takes one second to respond. Eight concurrent calls are in flight at all times. For each renewal, the benchmark compares the latency of calls during the renewal with the latency of calls before the renewal.',
  async answer({ processes, tell }) {
    const setUp = await setUpClient(4_000)
    setUp.issuer.fail('token', { delayMs: 1_000 })
    const cycles: Cycle[] = []
    try {
      for (let process = 0; process < processes; process += 1) {
        tell(`process ${process + 1} of ${processes}`)
        cycles.push(await typicalCycle(setUp.config))
      }
    } finally {
      await setUp.close()
    }
    return {
      facts: [
        fact(
          'p99 of calls without a renewal',
          cycles.map(({ otherwise }) => otherwise),
          'ms',
        ),
        fact(
          'p99 of calls during a renewal',
          cycles.map(({ during }) => during),
          'ms',
        ),
        fact(
          'p99 during a renewal, relative to the one before it',
          cycles.map(({ during, otherwise }) => during / otherwise),
          '×',
          { atMost: 1.1 },
        ),
      ],
    }
  },
}

/** The medians of several renewals in one process; the first one is dropped. */
async function typicalCycle(config: object): Promise<Cycle> {
  const client = await startServer('fastify-token-client', 'clients/renewing', config)
  const cycles: Cycle[] = []
  try {
    await client.ask<Cycle>('cycle')
    while (cycles.length < renewals) cycles.push(await client.ask<Cycle>('cycle'))
  } finally {
    await client.stop()
  }
  return {
    during: median(cycles.map(({ during }) => during)),
    otherwise: median(cycles.map(({ otherwise }) => otherwise)),
  }
}
