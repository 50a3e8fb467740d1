import type { FastifyInstance } from 'fastify'
import type { Prefetch } from './options/options.js'
import type { CachedVerifier } from './verifier.js'

/** Starts the verifier when the application is ready, and closes it with the application. */
export function runVerifier(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  loadKeys(fastify, verifier, prefetch)
  const { revocations } = verifier
  // If the store does not answer, that is an outage: the application starts.
  if (revocations !== undefined) fastify.addHook('onReady', () => revocations.start())
  fastify.addHook('onClose', () => verifier.close())
}

/** Only `required` makes the start wait for the keys, and fail without them. */
function loadKeys(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  if (prefetch === 'lazy') return
  if (prefetch === 'required') {
    fastify.addHook('onReady', () => verifier.loadKeys())
    return
  }
  let soon: NodeJS.Immediate | undefined
  fastify.addHook('onReady', async () => {
    // In the next turn: the HTTP client takes longer to load than all the rest, and the start does not wait for it.
    soon = setImmediate(() => {
      verifier.loadKeys().catch(() => {}) // logged where it happened; requests are answered with 503 until it works
    })
  })
  fastify.addHook('onClose', async () => clearImmediate(soon))
}
