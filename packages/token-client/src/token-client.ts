import { LRUCache } from 'lru-cache'
import { createTokenCache, type OnTokenFailure, type TokenCacheOptions } from './acquire/token-cache.js'
import type { TokenKind } from './acquire/token-origin.js'
import { tokensFromFunction } from './acquire/tokens-from-function.js'
import { tokensFromIssuer } from './acquire/tokens-from-issuer.js'
import { createDpopScheme } from './attach/dpop-scheme.js'
import { bearer } from './attach/token-scheme.js'
import { connectToApi, type ApiConnection } from './call/api-connection.js'
import { subjectTokenOf, type Subject } from './call/subject-token.js'
import { createTokenView, type TokenView } from './call/token-view.js'
import { InvalidOptionError } from './errors.js'
import type { ApiSettings, UsedApi, UsedOperation } from './options/api-option.js'
import type { TokenClientOptions, TokenSourceOptions } from './options/options.js'
import { parseOptions, type Settings } from './options/settings.js'
import { ownTarget, type TargetOptions } from './options/target-options.js'
import { shareBetweenProcesses, type OnStoreFailure } from './share/share-between-processes.js'

/** An HTTP client for one API that requests, caches and renews its own access token. */
export interface TokenClient extends TokenView {
  /**
   * Returns a client for the same API with a different token, such as a token with other scopes. The two clients share
   * connections, but not tokens.
   */
  with(target: TargetOptions): TokenView
  /**
   * Returns a client for the same API that acts on behalf of the caller of an incoming request (RFC 8693, RFC 7523).
   * The caller's token is exchanged for a new token, which expires no later than the caller's token and is never used
   * for another caller.
   */
  onBehalfOf(subject: Subject, target?: TargetOptions): TokenView
  /** Waits for in-flight calls, then closes the client's connections. Calling `close` again has no effect. */
  close(): Promise<void>
}

/**
 * The type of a client that is created with the option `api` and therefore has the method `call`. Example: `receipts:
 * TokenClientFor<typeof used>`.
 */
export type TokenClientFor<Use extends UsedApi> = TokenClient & ReturnType<Use['over']>

/**
 * Creates a client for use without Fastify. With the option `api`, the client has the method `call`.
 * @throws {InvalidOptionError} if an option is invalid
 */
export function createTokenClient<Use extends UsedApi>(
  options: (TokenClientOptions | TokenSourceOptions) & { readonly api: Use },
): TokenClientFor<Use>
export function createTokenClient(options: TokenClientOptions | TokenSourceOptions): TokenClient
export function createTokenClient(options: TokenClientOptions | TokenSourceOptions): TokenClient {
  return buildTokenClient(parseOptions(options, 'client')).client
}

/**
 * The maximum number of cached clients that `with` and `onBehalfOf` created. When a client is removed from this cache,
 * its token is lost.
 */
const maxViews = 1_000

/** A client, and the functions that the plugin uses to manage the client. */
export interface BuiltTokenClient {
  readonly client: TokenClient
  /** The clients whose tokens are requested at startup. */
  readonly mainViews: readonly TokenView[]
  /** Stops renewing tokens in the background. In-flight calls still receive their tokens. */
  readonly prepareToClose: () => void
}

/** Listeners for failures that callers might not notice, such as a failed renewal in the background. */
export interface FailureListeners {
  readonly onTokenFailure?: OnTokenFailure
  readonly onStoreFailure?: OnStoreFailure
}

export function buildTokenClient(settings: Settings, listeners: FailureListeners = {}): BuiltTokenClient {
  let isClosing = false
  let closed: Promise<void> | undefined
  const { origin, target: mainTarget } = settings
  const tokens =
    typeof origin === 'function' ? tokensFromFunction(origin, settings) : tokensFromIssuer(origin, settings)
  const scheme = settings.dpop === undefined ? bearer : createDpopScheme(settings.dpop)
  const api = connectToApi(settings.dispatcher, settings.tls, scheme)
  const viewFor = createViews(api, settings, {
    isClosing: () => isClosing,
    onFailure: (error, servingOld) => (isClosing ? undefined : listeners.onTokenFailure?.(error, servingOld)),
  })

  function viewWith(target: TargetOptions): TokenView {
    const own = ownTarget(target, 'with')
    const { key, ask } = tokens.forClient({ ...mainTarget, ...own })
    const shared = shareBetweenProcesses(ask, { key, settings, onFailure: listeners.onStoreFailure })
    return viewFor({ key, ask: shared })
  }

  async function close(): Promise<void> {
    isClosing = true
    await api.close()
    await tokens.close()
  }

  // The methods are added to the existing object, because copying the object would call its getter `dispatcher`.
  const client = Object.assign(viewWith({}), {
    with: viewWith,
    onBehalfOf: (subject: Subject, target: TargetOptions = {}) =>
      viewFor(
        tokens.onBehalfOf(subjectTokenOf(subject), { ...mainTarget, ...ownTarget(target, 'onBehalfOf') }),
      ),
    close: () => (closed ??= close()),
  })
  return {
    client,
    mainViews: settings.api === undefined ? [client] : addCall(client, settings.api),
    prepareToClose() {
      isClosing = true
    },
  }
}

/** Returns a function that creates and caches one client for each kind of token. */
function createViews(
  api: ApiConnection,
  settings: Settings,
  events: Pick<TokenCacheOptions, 'isClosing' | 'onFailure'>,
): (kind: TokenKind) => TokenView {
  const { name, lifetimes, now, random } = settings
  const views = new LRUCache<string, TokenView>({ max: maxViews })
  return ({ key, ask }) => {
    const known = views.get(key)
    if (known !== undefined) return known
    const cache = createTokenCache(ask, { name, lifetimes, now, random, ...events })
    const view = createTokenView(cache, api, settings)
    views.set(key, view)
    return view
  }
}

/** Adds the method `call`, and returns the clients whose tokens `call` uses. */
function addCall(client: TokenClient, { used, tokens }: ApiSettings): readonly TokenView[] {
  // Operations without scopes use the client's main token, because a token request without scopes could return a token with more permissions.
  const viewOf = ({ scopes }: UsedOperation): TokenView =>
    scopes === 'public' || scopes.length === 0 ? client : client.with({ scopes })
  Object.assign(client, { call: callOver(used, tokens === 'shared' ? client : viewOf) })
  return tokens === 'shared' ? [client] : Object.values(used.operations).map(viewOf)
}

/**
 * Calls the method `over` of the option `api`. This method may be the user's own code.
 * @throws {InvalidOptionError} if the method throws or does not return `call`
 */
function callOver(
  used: UsedApi,
  client: Parameters<UsedApi['over']>[0],
): ReturnType<UsedApi['over']>['call'] {
  try {
    const { call } = used.over(client)
    if (typeof call === 'function') return call
  } catch (thrown) {
    const error = new InvalidOptionError(`option \`api\` cannot be used: its method \`over\` threw`)
    throw Object.defineProperty(error, 'cause', { value: thrown, enumerable: false })
  }
  throw new InvalidOptionError('option `api` cannot be used: its method `over` did not return `call`')
}
