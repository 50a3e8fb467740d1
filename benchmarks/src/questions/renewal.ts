import { setUpClient } from '../harness/client-set-up.js'
import { spread } from '../harness/comparison.js'
import { startServer } from '../harness/server-process.js'
import type { Question } from './question.js'

interface Cycle {
  readonly during: number
  readonly otherwise: number
}

/** One cycle says little: its slowest hundredth is whatever else the machine did in a second. */
const renewalsPerRound = 3

export const renewal: Question = {
  name: 'renewal',
  title: 'Calls while the token is renewed',
  method:
    'Tokens live for four seconds and are renewed from the second on; the token endpoint takes one second. Eight calls at a time go on all the while. The latencies during a renewal are compared with those before it, cycle by cycle.',
  async answer({ rounds, tell }) {
    const setUp = await setUpClient(4_000)
    setUp.issuer.fail('token', { delayMs: 1_000 })
    const client = await startServer('fastify-token-client', 'clients/renewing', setUp.config)
    const cycles: Cycle[] = []
    try {
      await client.ask<Cycle>('cycle')
      for (let count = 1; count <= rounds * renewalsPerRound; count += 1) {
        tell(`renewal ${count} of ${rounds * renewalsPerRound}`)
        cycles.push(await client.ask<Cycle>('cycle'))
      }
    } finally {
      await client.stop()
      await setUp.close()
    }
    const of = (pick: (cycle: Cycle) => number): number => spread(cycles.map(pick)).median
    return {
      facts: [
        { what: 'p99 of calls without a renewal', value: of(({ otherwise }) => otherwise), unit: 'ms' },
        { what: 'p99 of calls during a renewal', value: of(({ during }) => during), unit: 'ms' },
        {
          what: 'p99 during a renewal, relative to the one before it',
          value: of(({ during, otherwise }) => during / otherwise),
          unit: '×',
          atMost: 1.2,
        },
      ],
    }
  },
}
