import { asError } from 'oauth-issuer-connection'
import type { Dispatcher, RequestInit, Response } from 'undici'
import type { TokenCache, TokenHealth } from '../acquire/token-cache.js'
import { createTokenInterceptor, type TokenUse } from '../attach/token-interceptor.js'
import { bearer } from '../attach/token-scheme.js'
import { createUnauthorizedPolicy } from '../attach/unauthorized-policy.js'
import { isObserved, report } from '../diagnostics.js'
import type { Settings } from '../options/settings.js'
import type { Token } from '../token.js'
import type { ApiConnection } from './api-connection.js'
import { checkCall, checkOptions, checkSignal, checkToken } from './check-arguments.js'
import { fetchArguments, type RequestLike } from './fetch-arguments.js'
import { withKnownBody } from './foreign-bodies.js'
import { composeAround } from './interceptors.js'
import { createJsonCalls, type JsonCalls } from './json-calls.js'
import { pathOf } from './locate-call.js'
import { requestDirectly } from './request-directly.js'
import { loadUndici } from './load-undici.cjs'
import { untilAborted } from '../until-aborted.js'

/** The options of `request`: those of undici, with a path below `baseUrl`. */
export type CallOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  /**
   * The path, which begins with a slash and is appended to `baseUrl`. It must not contain `..` segments in any
   * encoding.
   */
  path: string
  /** Default `GET`. */
  method?: Dispatcher.HttpMethod
}

/** Calls one API with one kind of token. */
export interface TokenView extends JsonCalls {
  /**
   * Calls the API with undici's `request` and the token. Rejects with `TokenRejectedError` or `TokenUnavailableError`
   * if no token is available, and with the errors of undici.
   */
  request(options: CallOptions): Promise<Dispatcher.ResponseData>
  /**
   * Calls the API with undici's `fetch` and the token. A path is appended to `baseUrl`. A URL or a Request of undici or
   * Node.js must have the same origin. Rejects with the errors of `request`.
   */
  fetch(input: string | URL | RequestLike, init?: RequestInit | RequestLike): Promise<Response>
  /** Calls the API with undici's `stream`, which writes the response body to a stream. */
  stream(options: CallOptions, factory: Dispatcher.StreamFactory): Promise<Dispatcher.StreamData>
  /**
   * A dispatcher for `undici.fetch`, @fastify/reply-from and others. It sends the token only to the origin of
   * `baseUrl`, and refuses requests to other origins.
   */
  readonly dispatcher: Dispatcher
  /**
   * Returns an interceptor for a dispatcher of your own: `new Pool(origin).compose(client.interceptor())`. Each request
   * must specify its `origin`.
   */
  interceptor(): Dispatcher.DispatcherComposeInterceptor
  /**
   * Returns the token itself, for protocols other than HTTP. Rejects with the errors of `request`, and with the reason
   * of `signal` after an abort. The token request continues for other callers.
   */
  getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<Token>
  /** Returns the cached token, or undefined. Sends no request. */
  peekToken(): Token | undefined
  /**
   * Discards a token that another system refused, if it is still cached. Repeated refusals have no effect for 10
   * seconds, unless a call with this token has succeeded.
   */
  invalidate(token: Token): void
  /** A hook for routes that need a token. They respond with 503 immediately if no token is available. */
  ensureToken(): Promise<void>
  /** Returns the state of the token for readiness probes. Sends no request. */
  health(): TokenHealth
}

/** Creates a view: the methods that call the API with the tokens of one cache. */
export function createTokenView(cache: TokenCache, connection: ApiConnection, settings: Settings): TokenView {
  const { base, interceptors, now } = settings
  const use = tokenUse(cache, settings)
  const interceptor = createTokenInterceptor(base.origin, connection.scheme, use)
  let composed: Dispatcher | undefined
  const dispatcher = (): Dispatcher =>
    (composed ??= composeAround(connection.dispatcher(), interceptor, interceptors, now))
  const hasInterceptors = Object.keys(interceptors).length > 0
  if (hasInterceptors) dispatcher() // composed now, so that invalid options stop the start

  /** Converts the arguments of a call to options of undici. */
  const locate = (by: 'request' | 'stream', call: CallOptions) => {
    try {
      checkCall(by, call)
      const { path, method = 'GET', ...rest } = call
      return withKnownBody({ ...rest, method, origin: base.origin, path: pathOf(path, base) })
    } catch (thrown) {
      throw asError(thrown) // thrown by a getter of the caller
    }
  }
  const intercept = (call: Dispatcher.RequestOptions) => dispatcher().request(call)
  const sendDirectly = (call: Dispatcher.RequestOptions) => connection.dispatcher().request(call)
  const send =
    connection.scheme === bearer && !hasInterceptors
      ? requestDirectly({ send: sendDirectly, intercept }, use)
      : intercept
  const request = async (call: CallOptions) => send(locate('request', call))

  return {
    request,
    async fetch(input, init) {
      const [url, checked] = fetchArguments(input, init, base)
      return loadUndici()
        .fetch(url, { ...checked, dispatcher: dispatcher() })
        .catch(throwOurs)
    },
    async stream(options, factory) {
      return dispatcher().stream(locate('stream', options), factory)
    },
    ...createJsonCalls(request, now),
    get dispatcher() {
      return dispatcher()
    },
    interceptor: () => interceptor,
    ...tokenAccess(cache),
  }
}

function tokenAccess(
  cache: TokenCache,
): Pick<TokenView, 'getToken' | 'peekToken' | 'invalidate' | 'ensureToken' | 'health'> {
  return {
    async getToken(options = {}) {
      checkOptions(options, ['signal'], '{ signal }')
      checkSignal(options.signal)
      return untilAborted(cache.getToken, options.signal)
    },
    peekToken: cache.peekToken,
    invalidate(token) {
      checkToken(token)
      cache.invalidate(token)
    },
    async ensureToken() {
      await cache.getToken()
    },
    health: cache.health,
  }
}

/** Unwraps errors of this package. `fetch` wraps them in `fetch failed`, and Fastify would then respond with 500. */
function throwOurs(thrown: unknown): never {
  const error = asError(thrown)
  const { code } = (error.cause ?? {}) as { code?: unknown }
  throw String(code).startsWith('TOKEN_CLIENT_') ? error.cause : error
}

function tokenUse(cache: TokenCache, { name, base }: Settings): TokenUse {
  return {
    getToken: cache.getToken,
    accept: cache.accept,
    onCall({ method, path }, cached) {
      if (!isObserved('fastify-token-client:call')) return
      const call = { name, method, origin: base.origin, path: withoutQuery(path), cached }
      report('fastify-token-client:call', call)
    },
    afterUnauthorized: createUnauthorizedPolicy(cache, ({ path }, replayed) =>
      report('fastify-token-client:refused', { name, path: withoutQuery(path), replayed }),
    ),
  }
}

/** Removes the query from a path, because it may contain personal data. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '')
}
