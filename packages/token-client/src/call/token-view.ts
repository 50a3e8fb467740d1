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

/** The options of `request`. They are undici's options, except that `path` is appended to `baseUrl`. */
export type CallOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  /**
   * The path, which must begin with a slash and is appended to `baseUrl`. `..` segments are not allowed in any
   * encoding.
   */
  path: string
  /** Default `GET`. */
  method?: Dispatcher.HttpMethod
}

/** Calls one API with its own access token. */
export interface TokenView extends JsonCalls {
  /**
   * Calls the API with undici's `request` and the access token. Rejects with `TokenRejectedError` or
   * `TokenUnavailableError` if no token is available, and with undici's errors if the call fails.
   */
  request(options: CallOptions): Promise<Dispatcher.ResponseData>
  /**
   * Calls the API with undici's `fetch` and the access token. A path is appended to `baseUrl`. A URL or a Request must
   * have the origin of `baseUrl`. Rejects with the same errors as `request`.
   */
  fetch(input: string | URL | RequestLike, init?: RequestInit | RequestLike): Promise<Response>
  /**
   * Calls the API with undici's `stream` and the access token. The response body is written to the stream that
   * `factory` returns.
   */
  stream(options: CallOptions, factory: Dispatcher.StreamFactory): Promise<Dispatcher.StreamData>
  /**
   * A dispatcher that adds the access token, for `undici.fetch`, @fastify/reply-from and similar functions. The
   * dispatcher rejects requests to any origin other than that of `baseUrl`.
   */
  readonly dispatcher: Dispatcher
  /**
   * Returns an interceptor that adds the access token, for use with your own dispatcher: `new
   * Pool(origin).compose(client.interceptor())`. Each request must specify its `origin`.
   */
  interceptor(): Dispatcher.DispatcherComposeInterceptor
  /**
   * Returns the access token, for protocols other than HTTP. Rejects with the same errors as `request`, or with the
   * reason of `signal` if the signal aborts. An abort does not stop a token request that other callers are waiting for.
   */
  getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<Token>
  /** Returns the cached token, or undefined if there is none. Sends no request. */
  peekToken(): Token | undefined
  /**
   * Discards the given token if it is still cached. Call this method after a system other than the API rejected the
   * token. At most one token can be discarded per 10 seconds, or ten tokens if the API accepted them before.
   */
  invalidate(token: Token): void
  /**
   * A hook for routes that need a token. If the client cannot get a token, the hook rejects and the route's handler
   * does not run.
   */
  ensureToken(): Promise<void>
  /** Returns the state of the token for readiness probes, without sending a request. */
  health(): TokenHealth
}

/** Creates the methods that call the API with the tokens from one cache. */
export function createTokenView(cache: TokenCache, connection: ApiConnection, settings: Settings): TokenView {
  const { base, interceptors, now } = settings
  const use = tokenUse(cache, settings)
  const interceptor = createTokenInterceptor(base.origin, connection.scheme, use)
  let composed: Dispatcher | undefined
  const dispatcher = (): Dispatcher =>
    (composed ??= composeAround(connection.dispatcher(), interceptor, interceptors, now))
  const hasInterceptors = Object.keys(interceptors).length > 0
  if (hasInterceptors) dispatcher() // The interceptors are created at startup, so that invalid interceptor options are reported at startup.

  /** Converts the options of a call to undici's options. */
  const locate = (by: 'request' | 'stream', call: CallOptions) => {
    try {
      checkCall(by, call)
      const { path, method = 'GET', ...rest } = call
      return withKnownBody({ ...rest, method, origin: base.origin, path: pathOf(path, base) })
    } catch (thrown) {
      throw asError(thrown) // A getter of the caller's options may throw a value that is not an Error.
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

/**
 * Unwraps this package's errors, because `fetch` wraps them in a TypeError, to which Fastify would respond with 500.
 */
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

/** Removes the query from a path, because a query may contain personal data. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '')
}
