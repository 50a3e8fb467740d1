import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { InvalidOptionError } from './errors.js'
import { parseOptions, type TokenClientPluginOptions } from './options/options.js'
import { buildTokenClient, type TokenClient } from './token-client.js'

const plugin: FastifyPluginAsync<TokenClientPluginOptions> = async (fastify, options) => {
  const name = decoratorName(fastify, options.name)
  const prefetch = prefetchMode(options.prefetch)
  const { client, prepareToClose } = buildTokenClient(parseOptions(options, name))
  fastify.decorate(name, client)
  if (prefetch !== 'lazy') fastify.addHook('onReady', () => fetchAhead(fastify, client, prefetch))
  fastify.addHook('preClose', async () => prepareToClose())
  fastify.addHook('onClose', () => client.close())
}

/** Decorates the instance with a client that gets, keeps and renews its own access token: `app[name]`. */
const tokenClient: FastifyPluginAsync<TokenClientPluginOptions> = fp(plugin, {
  fastify: '5.x',
  name: 'fastify-token-client',
})
export default tokenClient

async function fetchAhead(
  fastify: FastifyInstance,
  client: TokenClient,
  prefetch: 'background' | 'required',
): Promise<void> {
  const token = client.getToken()
  if (prefetch === 'required') {
    await token
    return
  }
  token.catch((error: Error & { code?: string }) => {
    fastify.log.warn(
      { code: error.code, reason: error.message },
      'no access token yet; calls will ask for one',
    )
  })
}

function decoratorName(fastify: FastifyInstance, name: unknown): string {
  if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]*$/.test(name))
    throw new InvalidOptionError(
      `option \`name\` is ${JSON.stringify(name)}; it wants the name of the decorator, such as 'receipts' for app.receipts`,
    )
  if (fastify.hasDecorator(name))
    throw new InvalidOptionError(
      `option \`name\` is ${JSON.stringify(name)}, which the instance has already; give another name`,
    )
  return name
}

function prefetchMode(mode: unknown): 'background' | 'required' | 'lazy' {
  if (mode === undefined || mode === 'background') return 'background'
  if (mode === 'required' || mode === 'lazy') return mode
  throw new InvalidOptionError(
    `option \`prefetch\` is ${JSON.stringify(mode)}; it wants 'background', 'required' or 'lazy'`,
  )
}
