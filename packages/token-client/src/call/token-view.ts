import type { Dispatcher, RequestInit, Response } from 'undici'
import type { TokenHealth, TokenSource } from '../acquire/token-source.js'
import { bearer, type Scheme } from '../attach/scheme.js'
import { createTokenInterceptor } from '../attach/token-interceptor.js'
import { isObserved, report } from '../diagnostics.js'
import type { Settings } from '../options/settings.js'
import type { Token } from '../token.js'
import { checkCall, checkOptions, checkSignal, checkToken } from './check-arguments.js'
import { composeAround } from './interceptors.js'
import { createJsonCalls, type JsonCalls } from './json-calls.js'
import { pathOf, urlOf } from './locate-call.js'
import { requestDirectly } from './request-directly.js'
import { loadUndici } from './undici.js'
import { untilAborted } from './until-aborted.js'

/** What `request` takes: undici's request options, with a path below `baseUrl`. */
export type CallOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  /** Begins with a slash and is put behind `baseUrl`. */
  path: string
  /** Default `GET`. */
  method?: Dispatcher.HttpMethod
}

/** Calls one API with one kind of token. */
export interface TokenView extends JsonCalls {
  /**
   * Calls the API: undici's `request` with the token.
   * Rejects with `TokenRejectedError` or `TokenUnavailableError` when there is no token to send, else as undici does.
   */
  request(options: CallOptions): Promise<Dispatcher.ResponseData>
  /** Calls the API with the interface of `fetch`; a path is put behind `baseUrl`, a URL has to be of its origin. Rejects as `request` does. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Calls the API and writes the answer into a stream: undici's `stream`. */
  stream(options: CallOptions, factory: Dispatcher.StreamFactory): Promise<Dispatcher.StreamData>
  /** For use elsewhere: `undici.fetch`, @fastify/reply-from. Sends the token to the origin of `baseUrl` and refuses others. */
  readonly dispatcher: Dispatcher
  /** For a dispatcher of your own: `new Pool(origin).compose(client.interceptor())`. Each request has to name its `origin`. */
  interceptor(): Dispatcher.DispatcherComposeInterceptor
  /**
   * The token itself, for a protocol that is not HTTP. Rejects as `request` does when there is none; with the reason of
   * `signal` when the caller gives up, while the token is still asked for, for whoever else waits.
   */
  getToken(options?: { readonly signal?: AbortSignal | undefined }): Promise<Token>
  /** The token at hand, if there is one; asks nobody. */
  peekToken(): Token | undefined
  /**
   * Drops a token that somebody else has found to be refused, if it is still the one at hand; at most every 10 seconds,
   * as for a 401 of the API.
   */
  invalidate(token: Token): void
  /** A hook for routes that are of no use without a token: they answer 503 before any work is done. */
  ensureToken(): Promise<void>
  /** For readiness probes; asks nobody. */
  health(): TokenHealth
}

/** What the views of one client have in common. */
export interface Sending {
  /** Opens what calls go through, at the first call. */
  readonly transport: () => Dispatcher
  readonly scheme: Scheme
}

/** The ways to call the API with the tokens of one source. */
export function createTokenView(
  source: TokenSource,
  { transport, scheme }: Sending,
  settings: Settings,
): TokenView {
  const { base, interceptors } = settings
  const use = { getToken: source.getToken, invalidate: source.invalidate, ...observers(settings) }
  const interceptor = createTokenInterceptor({ scheme, allowedOrigins: new Set([base.origin]), ...use })
  let composed: Dispatcher | undefined
  const dispatcher = (): Dispatcher =>
    (composed ??= composeAround(transport(), interceptor, interceptors, settings.now))
  // A mistake in the options of an interceptor stops the application, not its first call.
  if (Object.keys(interceptors).length > 0) dispatcher()

  /** A call as undici has it. */
  const locate = (by: 'request' | 'stream', call: CallOptions) => {
    checkCall(by, call)
    const { path, method = 'GET', ...rest } = call
    return { ...rest, method, origin: base.origin, path: pathOf(path, base) }
  }
  const locateRequest = (call: CallOptions) => locate('request', call)

  const intercept = (call: Dispatcher.RequestOptions) => dispatcher().request(call)
  const request =
    scheme === bearer && Object.keys(interceptors).length === 0
      ? requestDirectly({ ...use, locate: locateRequest, intercept, send: call => transport().request(call) })
      : async (options: CallOptions) => intercept(locateRequest(options))

  return {
    request,
    async fetch(input, init) {
      const url = urlOf(input, base)
      return loadUndici()
        .fetch(url, { ...init, dispatcher: dispatcher() })
        .catch(throwOurs)
    },
    async stream(options, factory) {
      return dispatcher().stream(locate('stream', options), factory)
    },
    ...createJsonCalls(request, settings.now),
    get dispatcher() {
      return dispatcher()
    },
    interceptor: () => interceptor,
    async getToken(options = {}) {
      checkOptions(options, ['signal'], '{ signal }')
      checkSignal(options.signal)
      return untilAborted(source.getToken, options.signal)
    },
    peekToken: source.peekToken,
    invalidate(token) {
      checkToken(token)
      source.invalidate(token)
    },
    async ensureToken() {
      await source.getToken()
    },
    health: source.health,
  }
}

/** `fetch` says `fetch failed` to everything, which Fastify would answer with 500; ours have a status of their own. */
function throwOurs(error: Error & { cause?: { code?: unknown } }): never {
  throw String(error.cause?.code).startsWith('TOKEN_CLIENT_') ? error.cause : error
}

type Observers = Pick<Parameters<typeof createTokenInterceptor>[0], 'onCall' | 'onRefused'>

function observers({ name, base }: Settings): Observers {
  return {
    onCall({ method, path }, cached) {
      if (!isObserved('fastify-token-client:call')) return
      report('fastify-token-client:call', {
        name,
        method,
        origin: base.origin,
        path: withoutQuery(path),
        cached,
      })
    },
    onRefused: ({ path }, replayed) =>
      report('fastify-token-client:refused', { name, path: withoutQuery(path), replayed }),
  }
}

/** A query can hold what nobody wants in a log. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '')
}
