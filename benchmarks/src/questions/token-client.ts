import { setUpClient } from '../harness/client-set-up.js'
import { asPeer } from '../harness/contender.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { slices } from '../harness/slice-contender.js'
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
    'Each client runs in a separate process and calls the same API while its cached token is valid, with 32 concurrent calls. “Raw undici” sends a fixed header without any client library. “Undici, an idle interceptor” also sends a fixed header, through an interceptor that does nothing.',
  async answer(effort) {
    const setUp = await setUpClient(86_400_000)
    try {
      const measured = await measureProcesses(
        contenders.map(([name, file]) => {
          const contender = slices(name, `clients/${file}`, setUp.config)
          return name === raw || name === ours ? contender : asPeer(contender)
        }),
        effort,
        effort.tell,
      )
      return {
        comparisons: [
          {
            title: 'A call with a cached token',
            unit: 'calls/s',
            ...measured,
            baselines: [raw],
            goals: [{ contender: ours, of: raw, atLeast: 1 }],
          },
        ],
      }
    } finally {
      await setUp.close()
    }
  },
}
