import type { FastifyInstance } from 'fastify'

/** Checks one dependency of a service; rejects if it is unavailable. */
export type Check = () => Promise<unknown>

/**
 * `/health` answers 200 while the process runs. `/ready` answers 200 if the service can handle requests, otherwise 503
 * with the names of the missing dependencies.
 */
export async function health(
  app: FastifyInstance,
  { checks }: { checks: Readonly<Record<string, Check>> },
): Promise<void> {
  // Exempt from the rate limit, because monitoring must work under high load.
  const hidden = {
    schema: { hide: true },
    logLevel: 'warn' as const,
    config: { rateLimit: false as const, oauth: false as const },
  }
  app.get('/health', hidden, async () => ({ status: 'ok' }))
  app.get('/ready', hidden, async (_request, reply) => {
    const names = Object.keys(checks)
    const results = await Promise.allSettled(Object.values(checks).map(check => check()))
    const missing = names.filter((_, index) => results[index]?.status === 'rejected')
    return reply
      .code(missing.length === 0 ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: missing.length === 0 ? 'ready' : 'not ready', missing })
  })
}
