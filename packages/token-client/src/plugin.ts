import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync } from 'fastify'
import { oneOf, show, takeOptions } from 'declared-options'
import fp from 'fastify-plugin'
import { notify } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { TokenClientPluginOptions } from './options/options.js'
import { toError, topLevel } from './options/place.js'
import { parseOptions, type Settings } from './options/settings.js'
import { verifyTokenStore } from './share/verify-token-store.js'
import { buildTokenClient, type BuiltTokenClient, type FailureListeners } from './token-client.js'

/** The options that only the plugin or Fastify's `register` reads. The other options belong to the client. */
const ignored = ['name', 'prefetch', 'prefix', 'logLevel', 'logSerializers']

const plugin: FastifyPluginAsync<TokenClientPluginOptions> = async (fastify, options) => {
  const own = takeOptions(options, { toError, subject: 'register' })
  const name = decoratorName(fastify, own['name'])
  const prefetch = prefetchMode(own['prefetch'])
  const settings = parseOptions(own as unknown as TokenClientPluginOptions, name, ignored) // checked there
  const listeners = logTo(fastify.log, name)
  const { client, mainViews, prepareToClose } = buildTokenClient(settings, listeners)
  fastify.decorate(name, client)
  fastify.addHook('onReady', () => refuseWrongStore(settings, listeners))
  if (prefetch !== 'lazy') fastify.addHook('onReady', () => fetchAhead(mainViews, prefetch))
  fastify.addHook('preClose', async () => prepareToClose())
  fastify.addHook('onClose', () => client.close())
}

/**
 * A Fastify plugin that adds an HTTP client as `app[name]`. The client requests, caches and renews its own access
 * token.
 */
const tokenClient: FastifyPluginAsync<TokenClientPluginOptions> = fp(plugin, {
  fastify: '5.x',
  name: 'fastify-token-client',
})
export default tokenClient

/**
 * Checks the token store at startup, and throws if the store returns wrong results. If the store does not respond, the
 * application starts and requests tokens without the store.
 */
async function refuseWrongStore({ sharing }: Settings, { onStoreFailure }: FailureListeners): Promise<void> {
  if (sharing === undefined) return
  const fault = await verifyTokenStore(sharing.store, sharing.storeTimeoutMs)
  if (fault === undefined) return
  if (fault.isWrong)
    throw new InvalidOptionError(`option \`tokenStore.store\` cannot be used: ${fault.reason}`)
  notify(() => onStoreFailure?.(fault.operation, fault.reason))
}

async function fetchAhead(
  views: BuiltTokenClient['mainViews'],
  prefetch: 'background' | 'required',
): Promise<void> {
  const tokens = Promise.all(views.map(async view => view.getToken()))
  if (prefetch === 'required') await tokens
  else tokens.catch(() => {}) // The failure has already been logged, and the next call requests a token again.
}

function logTo(log: FastifyBaseLogger, client: string): FailureListeners {
  return {
    onTokenFailure({ code, detail: reason }, servingOld) {
      return log.warn(
        { client, code, reason },
        servingOld
          ? 'could not renew the access token; calls use the cached token'
          : 'could not get an access token; calls fail until one is available',
      )
    },
    onStoreFailure(operation, reason) {
      return log.warn(
        { client, operation, reason },
        'the token store is unavailable; the client requests tokens without it',
      )
    },
  }
}

function decoratorName(fastify: FastifyInstance, name: unknown): string {
  if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]*$/.test(name))
    throw new InvalidOptionError(
      `option \`name\` is ${show(name)}; expected the name of the decorator, such as 'receipts' for app.receipts`,
    )
  if (fastify.hasDecorator(name))
    throw new InvalidOptionError(
      `option \`name\` is ${show(name)}, but the Fastify instance already has that property; choose another name`,
    )
  return name
}

function prefetchMode(mode: unknown): 'background' | 'required' | 'lazy' {
  if (mode === undefined) return 'background'
  return oneOf(['background', 'required', 'lazy']).read(mode, { ...topLevel, option: 'prefetch' })
}
