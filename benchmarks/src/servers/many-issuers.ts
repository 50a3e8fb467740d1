// The protected route with any number of issuers, whose keys are all below one origin.
import Fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { heapUsed } from '../harness/heap.js'
import { serve } from '../harness/serve.js'
import { answer } from './trust.js'

/** Issuer number n is `https://issuer-n.test`, its keys are at `<keysAt>/n`. */
export interface ManyIssuers {
  readonly count: number
  readonly keysAt: string
  readonly audience: string
  readonly scope: string
  /** How many verified tokens are kept; 0: every token is verified. */
  readonly maxCachedTokens: number
}

let before = 0
await serve(
  async ({ count, keysAt, audience, scope, maxCachedTokens }: ManyIssuers) => {
    const app = Fastify()
    before = heapUsed()
    const issuers = Array.from({ length: count }, (_, n) => ({
      issuer: `https://issuer-${n}.test`,
      audience,
      jwksUri: `${keysAt}/${n}`,
    }))
    await app.register(resourceServer, { issuers, maxCachedTokens, prefetch: 'required' })
    app.get('/orders', { config: { oauth: { scopes: [scope] } } }, async () => answer)
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  {
    /** What the issuers, their keys and the tokens of the load take of the heap, in bytes. */
    heap: () => heapUsed() - before,
  },
)
