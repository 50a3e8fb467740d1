import { channel } from 'node:diagnostics_channel'
import fastify, { type FastifyInstance } from 'fastify'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuthorizationServerConfig } from '../config.js'
import { operations } from '../operations/operations.js'
import { badUrlProblem, problemDetails } from '../operations/problem-details.js'
import { serviceLog } from '../operations/service-log.js'
import { currentTraceId, tracedRequests } from '../operations/trace-context.js'
import { createProvider, generateSigningKey, type Tamper } from './provider.js'

/** Controls that change the issuer's behaviour. Each takes effect with the next request. */
export interface IssuerControls {
  /** Signs with a new key. Earlier keys stay published, so tokens signed with them stay valid. */
  rotateKeys(): Promise<void>
  /** Signs with a new key and publishes only this key. */
  withdrawKeys(): Promise<void>
  /** Changes the secret that the issuer expects from a client; undefined restores the registered secret. */
  replaceSecret(clientId: string, secret: string | undefined): Promise<void>
  /** Functions that change the claims of each token before it is signed, by the name of the switch. */
  readonly tampering: Map<string, Tamper>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Number of access tokens issued so far, by client. */
    tokensIssued: Map<string, number>
    issuer: IssuerControls
  }
}

/**
 * Builds the bookstore's own authorization server. It has clients for the services, but no users.
 * @param log where log lines are written, stdout by default
 */
export async function buildAuthorizationServer(
  config: AuthorizationServerConfig,
  log?: { write(line: string): void },
): Promise<FastifyInstance> {
  const app = fastify({
    ...tracedRequests,
    logger: { ...serviceLog('issuer', config.logLevel), ...(log && { stream: log }) },
    trustProxy: config.trustProxy ?? false,
    frameworkErrors: badUrlProblem,
  })
  await app.register(problemDetails)
  await app.register(operations)
  const issued = new Map<string, number>()
  let keys = [generateSigningKey()]
  let secrets: Readonly<Record<string, string>> = {}
  const tampering = new Map<string, Tamper>()
  let handle = await open()

  /** A provider cannot be changed, but a new one takes a millisecond. Its tokens are JWTs, so it stores no state. */
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

  // Redirects a person who opens the issuer's address to its metadata.
  app.get('/', async (_request, reply) => reply.redirect('/.well-known/openid-configuration'))
  // The provider parses request bodies itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', async (request, reply) => {
    // Copies the headers that hooks have set, because a hijacked reply would lose them.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value)
    reply.hijack()
    await handle(request.raw, reply.raw)
  })
  return app
}

const tokenRequests = channel('bookstore:token-request')

/** Publishes the token request for the token flow page. Only the provider reads its body. */
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
