import type { FastifyInstance } from 'fastify'
import type { Prefetch } from './options/options.js'
import type { CachedVerifier } from './verifier.js'

/** Starts the verifier when the application is ready, and closes it when the application closes. */
export function runVerifier(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  loadKeys(fastify, verifier, prefetch)
  const { revocations } = verifier
  // The application starts even if the revocation store does not respond.
  if (revocations !== undefined) fastify.addHook('onReady', () => revocations.start())
  fastify.addHook('onClose', () => verifier.close())
}

/**
 * Startup waits for the keys only if `prefetch` is `required`. In that case, startup fails if the keys cannot be
 * fetched.
 */
function loadKeys(fastify: FastifyInstance, verifier: CachedVerifier, prefetch: Prefetch): void {
  if (prefetch === 'lazy') return
  if (prefetch === 'required') {
    fastify.addHook('onReady', () => verifier.loadKeys())
    return
  }
  let soon: NodeJS.Immediate | undefined
  fastify.addHook('onReady', async () => {
    // The keys are fetched in the next turn of the event loop, because loading the HTTP client for the request would delay startup.
    soon = setImmediate(() => {
      verifier.loadKeys().catch(() => {}) // The failed request has already been logged.
    })
  })
  fastify.addHook('onClose', async () => clearImmediate(soon))
}
