import type { FastifyInstance } from 'fastify'
import type { Prefetch } from './options/options.js'
import type { CachedVerifier } from './verifier.js'

/** Starts the verifier when the application is ready, and closes it with the application. */
export function runVerifier(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  loadKeys(fastify, verifier, prefetch)
  const { revocations } = verifier
  // The application starts even if the store does not respond.
  if (revocations !== undefined) fastify.addHook('onReady', () => revocations.start())
  fastify.addHook('onClose', () => verifier.close())
}

/** Only `required` waits for the keys, and stops the start if they cannot be fetched. */
function loadKeys(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  if (prefetch === 'lazy') return
  if (prefetch === 'required') {
    fastify.addHook('onReady', () => verifier.loadKeys())
    return
  }
  let soon: NodeJS.Immediate | undefined
  fastify.addHook('onReady', async () => {
    // Deferred to the next turn of the event loop, because loading the HTTP client would delay the start.
    soon = setImmediate(() => {
      verifier.loadKeys().catch(() => {}) // already logged; requests get 503 until the keys are fetched
    })
  })
  fastify.addHook('onClose', async () => clearImmediate(soon))
}
