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

/** What `request` takes: undici's request options, with a path below `baseUrl`. */
export type CallOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  /** Begins with a slash, and is appended to `baseUrl`. Without `..` segments, however they are encoded. */
  path: string
  /** Default `GET`. */
  method?: Dispatcher.HttpMethod
}

/** Calls one API with one kind of token. */
export interface TokenView extends JsonCalls {
  /**
   * Calls the API with the token: undici's `request`.
   * Rejects with `TokenRejectedError` or `TokenUnavailableError` if there is no token, else as undici does.
   */
  request(options: CallOptions): Promise<Dispatcher.ResponseData>
  /**
   * Calls the API as `fetch` does. A path is appended to `baseUrl`; a URL, or a Request of undici or Node, must be of the
   * same origin. Rejects as `request` does.
   */
  fetch(input: string | URL | RequestLike, init?: RequestInit | RequestLike): Promise<Response>
  /** Calls the API and writes the answer to a stream: undici's `stream`. */
  stream(options: CallOptions, factory: Dispatcher.StreamFactory): Promise<Dispatcher.StreamData>
  /** For `undici.fetch`, @fastify/reply-from and others. Sends the token to the origin of `baseUrl`, and refuses others. */
  readonly dispatcher: Dispatcher
  /** For a dispatcher of your own: `new Pool(origin).compose(client.interceptor())`. Each request must name its `origin`. */
  interceptor(): Dispatcher.DispatcherComposeInterceptor
  /**
   * The token itself, for protocols other than HTTP. Rejects as `request` does if there is none, and with the reason of
   * `signal` if that aborts; the token request continues for other callers.
   */
  getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<Token>
  /** The cached token, if there is one; makes no request. */
  peekToken(): Token | undefined
  /**
   * Discards a token that was refused elsewhere, if it is still the cached one. At most every 10 seconds, as for a 401 of
   * the API, unless a call with this token has worked.
   */
  invalidate(token: Token): void
  /** A hook for routes that need a token: they answer 503 at once if there is none. */
  ensureToken(): Promise<void>
  /** For readiness probes; makes no request. */
  health(): TokenHealth
}

/** The ways to call the API with the tokens of one cache. */
export function createTokenView(cache: TokenCache, connection: ApiConnection, settings: Settings): TokenView {
  const { base, interceptors, now } = settings
  const use = tokenUse(cache, settings)
  const interceptor = createTokenInterceptor(base.origin, connection.scheme, use)
  let composed: Dispatcher | undefined
  const dispatcher = (): Dispatcher =>
    (composed ??= composeAround(connection.dispatcher(), interceptor, interceptors, now))
  const hasInterceptors = Object.keys(interceptors).length > 0
  if (hasInterceptors) dispatcher() // so that a mistake in their options stops the start, not the first call

  /** A call as undici takes it. */
  const locate = (by: 'request' | 'stream', call: CallOptions) => {
    try {
      checkCall(by, call)
      const { path, method = 'GET', ...rest } = call
      return withKnownBody({ ...rest, method, origin: base.origin, path: pathOf(path, base) })
    } catch (thrown) {
      throw asError(thrown) // a getter of the caller
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

/** `fetch` wraps every error in `fetch failed`, which Fastify would answer with 500; ours have their own status. */
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

/** A query may hold personal data, which does not belong in logs. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '')
}
