import { alternate, type Measured } from '../harness/alternate.js'
import { setUpClient } from '../harness/client-set-up.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Question } from './question.js'

const ours = 'fastify-token-client'
const raw = 'raw undici'

const contenders = [
  [raw, 'raw-undici'],
  [ours, 'token-client'],
  ['undici, an idle interceptor', 'idle-interceptor'],
  ['undici-oidc-interceptor', 'undici-oidc-interceptor'],
  ['simple-oauth2 + undici', 'simple-oauth2'],
  ['openid-client', 'openid-client'],
] as const

export const tokenClient: Question = {
  name: 'token-client',
  title: 'A call with a cached token',
  method:
    'Each client in a process of its own calls the same API, 32 calls at a time, while its token is valid. Raw undici sends a fixed header, and so does the one whose interceptor does nothing.',
  async answer({ rounds, tell }) {
    const setUp = await setUpClient(86_400_000)
    const clients: ServerProcess[] = []
    for (const [name, file] of contenders) {
      const client = await startServer(name, `clients/${file}`, setUp.config)
      clients.push(client)
      // At once, and alone: what V8 learns of a process that starts beside others, and then waits, is learned badly.
      for (let slice = 0; slice < 4; slice += 1) await client.ask<Measured>('slice')
    }
    try {
      const measured = await alternate(
        clients.map(client => ({ name: client.name, measure: () => client.ask<Measured>('slice') })),
        { rounds },
        round => tell(`round ${round + 1} of ${rounds}`),
      )
      return {
        comparisons: [
          {
            title: 'A call with a cached token',
            unit: 'calls/s',
            ...measured,
            baselines: [raw],
            goals: [{ contender: ours, of: raw, atLeast: 0.95 }],
          },
        ],
      }
    } finally {
      await Promise.all(clients.map(client => client.stop()))
      await setUp.close()
    }
  },
}
