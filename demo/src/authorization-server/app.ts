import fastify, { type FastifyInstance } from 'fastify'
import type { AuthorizationServerConfig } from '../config.js'
import { createProvider, generateSigningKey } from './provider.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Access tokens issued so far, by client. */
    tokensIssued: Map<string, number>
  }
}

/** The bookstore's own authorization server. It knows the services, and no buyer. */
export async function buildAuthorizationServer(config: AuthorizationServerConfig): Promise<FastifyInstance> {
  const app = fastify({ logger: { level: config.logLevel, name: 'authorization-server' } })
  const provider = await createProvider(config, [generateSigningKey()])
  const issued = new Map<string, number>()
  app.decorate('tokensIssued', issued)
  provider.on('grant.success', ({ oidc: { client } }) => {
    if (client !== undefined) issued.set(client.clientId, (issued.get(client.clientId) ?? 0) + 1)
  })
  provider.on('grant.error', (ctx, error) => {
    app.log.warn({ error: error.message, client: ctx.oidc.client?.clientId }, 'no token issued')
  })

  app.get('/health', async () => ({ status: 'ok' }))
  // The provider reads requests itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const handle = provider.callback()
  app.all('/*', async (request, reply) => {
    reply.hijack()
    await handle(request.raw, reply.raw)
  })
  return app
}
