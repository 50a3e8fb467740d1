import { Agent, fetch, type Dispatcher, type RequestInit, type Response } from 'undici'
import { locateServer, type ServerLocation } from './acquire/authorization-server.js'
import { cacheKey } from './acquire/cache-key.js'
import { requestToken, type TokenAnswer } from './acquire/request-token.js'
import { connectToServer } from './acquire/token-endpoint-fetch.js'
import { createTokenSource, type TokenHealth } from './acquire/token-source.js'
import { createDpopScheme } from './attach/dpop-scheme.js'
import { bearer } from './attach/scheme.js'
import { createTokenInterceptor } from './attach/token-interceptor.js'
import { isObserved, report } from './diagnostics.js'
import { OriginNotAllowedError } from './errors.js'
import { parseOptions, type Settings, type TokenClientOptions } from './options.js'
import { shareTokens, type AskForToken } from './share/share-tokens.js'
import { schedule, type Token } from './token.js'

/** What `request` takes: undici's request options, with a path below `baseUrl`. */
export type CallOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  /** Begins with a slash and is put behind `baseUrl`. */
  path: string
  /** Default `GET`. */
  method?: Dispatcher.HttpMethod
}

/** An HTTP client for one API, that gets, keeps and renews its own access token. */
export interface TokenClient {
  /**
   * Calls the API: undici's `request` with the token.
   * Rejects with `TokenRejectedError` or `TokenUnavailableError` when there is no token to send, else as undici does.
   */
  request(options: CallOptions): Promise<Dispatcher.ResponseData>
  /** Calls the API with the interface of `fetch`; a path is put behind `baseUrl`, a URL has to be of its origin. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** For use elsewhere: `undici.fetch`, @fastify/reply-from. Sends the token to the origin of `baseUrl` and refuses others. */
  readonly dispatcher: Dispatcher
  /** The token itself, for a protocol that is not HTTP. */
  getToken(): Promise<Token>
  /** The token at hand, if there is one; asks nobody. */
  peekToken(): Token | undefined
  /** Drops a token that somebody else has found to be refused. */
  invalidate(token: Token): void
  /** For readiness probes; asks nobody. */
  health(): TokenHealth
  /** Lets running calls end, then closes what the client opened. */
  close(): Promise<void>
}

/**
 * Makes a client without Fastify.
 * @throws {InvalidOptionError}
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  return buildTokenClient(parseOptions(options, 'client'))
}

export function buildTokenClient(settings: Settings): TokenClient {
  const { base, name } = settings
  const server = connectToServer(settings.tokenDispatcher, settings.tokenTimeoutMs)
  const locate = locateServer(
    { issuer: settings.issuer, tokenEndpoint: settings.tokenEndpoint } as ServerLocation,
    server.send,
  )
  const ask: AskForToken = () => {
    report('fastify-token-client:token-requested', { name })
    return requestToken(locate, settings, server.send, settings.now)
  }
  const source = createTokenSource(name, shared(ask, settings), settings.lifetimes, settings)
  const transport = settings.dispatcher ?? new Agent()
  const dispatcher = transport.compose(
    createTokenInterceptor({
      scheme: settings.dpop === undefined ? bearer : createDpopScheme(settings.dpop),
      getToken: source.getToken,
      invalidate: source.invalidate,
      allowedOrigins: new Set([base.origin]),
      onCall(request, cached) {
        if (!isObserved('fastify-token-client:call')) return
        report('fastify-token-client:call', {
          name,
          method: request.method,
          origin: base.origin,
          path: request.path,
          cached,
        })
      },
      onRefused: ({ path }, replayed) => report('fastify-token-client:refused', { name, path, replayed }),
    }),
  )

  return {
    request: ({ path, method = 'GET', ...rest }) =>
      path.startsWith('/')
        ? dispatcher.request({ ...rest, method, origin: base.origin, path: base.path + path })
        : Promise.reject(
            new TypeError(`path has to begin with a slash: ${JSON.stringify(path).slice(0, 100)}`),
          ),
    async fetch(input, init) {
      return fetch(locateCall(input, base), { ...init, dispatcher })
    },
    dispatcher,
    getToken: async () => source.getToken(),
    peekToken: source.peekToken,
    invalidate: token => void source.invalidate(token),
    health: source.health,
    async close() {
      if (settings.dispatcher === undefined) await transport.close()
      await server.close()
    },
  }
}

/** With a store, processes share their tokens. */
function shared(ask: AskForToken, settings: Settings): AskForToken {
  const { sharing, name, lifetimes, now, tokenTimeoutMs } = settings
  if (sharing === undefined) return ask
  const timesOf = ({ requestedAt, expiresIn }: TokenAnswer): ReturnType<typeof schedule> =>
    schedule(requestedAt, expiresIn, lifetimes, 0)
  return shareTokens(ask, {
    ...sharing,
    key: cacheKey(settings),
    freshUntil: answer => timesOf(answer).renewAt,
    expiresAt: answer => timesOf(answer).expiresAt,
    requestTimeoutMs: tokenTimeoutMs,
    now,
    onStoreFailure: (operation, { message: reason }) =>
      report('fastify-token-client:store-failed', { name, operation, reason }),
  })
}

/** The URL of a call: a path below the base, or a whole URL of its origin. */
function locateCall(input: string | URL, base: Settings['base']): URL {
  if (typeof input === 'string' && input.startsWith('/') && !input.startsWith('//'))
    return new URL(base.origin + base.path + input)
  const url = new URL(input, base.origin)
  if (url.origin !== base.origin) throw new OriginNotAllowedError(base.origin, url.origin)
  return url
}
