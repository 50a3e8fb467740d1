// Calls go on while the token is renewed at a slow token endpoint; the latencies of both times are kept apart.
import { subscribe } from 'node:diagnostics_channel'
import { createTokenClient } from 'fastify-token-client'
import { serve } from '../harness/serve.js'
import type { ClientConfig } from './call-loop.js'

const lanes = 8
let call: () => Promise<unknown>
let renewing = false

await serve(
  async ({ api, tokenEndpoint, clientId, clientSecret, resource, scope }: ClientConfig) => {
    subscribe('fastify-token-client:token-requested', () => {
      renewing = true
    })
    subscribe('fastify-token-client:token-received', () => {
      renewing = false
    })
    const client = createTokenClient({
      baseUrl: api,
      tokenEndpoint,
      clientId,
      clientSecret,
      resource,
      scopes: [scope],
      renewAfter: 0.5,
    })
    call = async () => {
      const { body } = await client.request({ path: '/orders' })
      return body.text()
    }
    await call()
    return api
  },
  {
    /** Calls until a renewal has begun and ended; the 99th percentiles of both times, in milliseconds. */
    async cycle() {
      const during: number[] = []
      const otherwise: number[] = []
      let ended = false
      const lane = async (): Promise<void> => {
        while (!ended) {
          const startedAt = performance.now()
          const before = renewing
          await call()
          // A call that saw both times belongs to neither.
          if (before === renewing) (renewing ? during : otherwise).push(performance.now() - startedAt)
          if (during.length > 0 && !renewing) ended = true
        }
      }
      await Promise.all(Array.from({ length: lanes }, lane))
      return { during: p99(during), otherwise: p99(otherwise), calls: during.length + otherwise.length }
    },
  },
)

function p99(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
}
