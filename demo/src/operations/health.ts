import type { FastifyInstance } from 'fastify'

/** One thing a service cannot work without; rejects while it is not there. */
export type Check = () => Promise<unknown>

/** `/health`: the process lives. `/ready`: it can do its work, so traffic may come; 503 names what is missing. */
export async function health(
  app: FastifyInstance,
  { checks }: { checks: Readonly<Record<string, Check>> },
): Promise<void> {
  // Never limited: whoever watches the service has to see it, above all when it has much to do.
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
