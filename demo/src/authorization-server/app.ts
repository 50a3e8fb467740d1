import { channel } from 'node:diagnostics_channel'
import fastify, { type FastifyInstance } from 'fastify'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuthorizationServerConfig } from '../config.js'
import { operations } from '../operations/operations.js'
import { problemDetails } from '../operations/problem-details.js'
import { serviceLog } from '../operations/service-log.js'
import { currentTraceId, tracedRequests } from '../operations/trace-context.js'
import { createProvider, generateSigningKey, type Tamper } from './provider.js'

/** What an operator does to an issuer, and what goes wrong with one. Everything takes effect with the next request. */
export interface IssuerControls {
  /** Signs with a new key; the earlier ones stay published, and tokens signed with them valid. */
  rotateKeys(): Promise<void>
  /** Signs with a new key and publishes that one alone. */
  withdrawKeys(): Promise<void>
  /** Expects another secret of a client; undefined: the registered one again. */
  replaceSecret(clientId: string, secret: string | undefined): Promise<void>
  /** What is done to the claims of each token before it is signed, by the name of who wants it. */
  readonly tampering: Map<string, Tamper>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Access tokens issued so far, by client. */
    tokensIssued: Map<string, number>
    issuer: IssuerControls
  }
}

/**
 * The bookstore's own authorization server. It knows the services, and no buyer.
 * @param log where log lines go, stdout by default
 */
export async function buildAuthorizationServer(
  config: AuthorizationServerConfig,
  log?: { write(line: string): void },
): Promise<FastifyInstance> {
  const app = fastify({
    ...tracedRequests,
    logger: { ...serviceLog('issuer', config.logLevel), ...(log && { stream: log }) },
    trustProxy: config.trustProxy ?? false,
  })
  await app.register(problemDetails)
  await app.register(operations)
  const issued = new Map<string, number>()
  let keys = [generateSigningKey()]
  let secrets: Readonly<Record<string, string>> = {}
  const tampering = new Map<string, Tamper>()
  let handle = await open()

  /** A provider cannot be changed, but is made in a millisecond; its tokens are JWTs, so it has nothing to remember. */
  async function open(): Promise<ReturnType<Provider['callback']>> {
    const provider = await createProvider(withSecrets(config, secrets), keys, (client, claims) => {
      for (const tamper of tampering.values()) tamper(client, claims)
    })
    provider.on('grant.success', ctx => {
      const { client } = ctx.oidc
      tellRequest(ctx, ctx.body)
      if (client !== undefined) issued.set(client.clientId, (issued.get(client.clientId) ?? 0) + 1)
    })
    provider.on('grant.error', (ctx, error) => {
      const client = ctx.oidc.client?.clientId
      tellRequest(ctx, { error: error.message, error_description: error.error_description })
      app.log.warn({ traceId: currentTraceId(), error: error.message, client }, 'no token issued')
    })
    return provider.callback()
  }

  app.decorate('tokensIssued', issued)
  app.decorate('issuer', {
    async rotateKeys() {
      keys = [generateSigningKey(), ...keys]
      handle = await open()
    },
    async withdrawKeys() {
      keys = [generateSigningKey()]
      handle = await open()
    },
    async replaceSecret(clientId, secret) {
      const { [clientId]: _, ...others } = secrets
      secrets = secret === undefined ? others : { ...others, [clientId]: secret }
      handle = await open()
    },
    tampering,
  } satisfies IssuerControls)

  // A person who opens its address finds what it is.
  app.get('/', async (_request, reply) => reply.redirect('/.well-known/openid-configuration'))
  // The provider reads requests itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', async (request, reply) => {
    // What hooks have set goes along; a reply that is taken over would lose it.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value)
    reply.hijack()
    await handle(request.raw, reply.raw)
  })
  return app
}

const tokenRequests = channel('bookstore:token-request')

/** For the page that shows token requests: the provider reads their bodies, so nothing else can. */
function tellRequest({ req: request, oidc: { body: form = {} } }: KoaContextWithOIDC, answer: unknown): void {
  const event = { request, form, answer }
  if (tokenRequests.hasSubscribers) tokenRequests.publish(event)
}

function withSecrets(
  config: AuthorizationServerConfig,
  secrets: Readonly<Record<string, string>>,
): AuthorizationServerConfig {
  const clients = config.clients.map(client => {
    const secret = secrets[client.clientId]
    return secret === undefined
      ? client
      : { ...client, authentication: { method: 'client_secret_basic' as const, secret } }
  })
  return { ...config, clients }
}
