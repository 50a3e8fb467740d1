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
  /** The same API with a different token: other scopes, for example. Connections are shared, tokens are not. */
  with(target: TargetOptions): TokenView
  /**
   * The same API on behalf of the caller of an incoming request (RFC 8693, RFC 7523). The token is requested with the
   * caller's token, expires with it at the latest, and is never used for a different caller.
   */
  onBehalfOf(subject: Subject, target?: TargetOptions): TokenView
  /** Waits for running calls, then closes the connections that the client opened. A second call has no effect. */
  close(): Promise<void>
}

/** A client with `call`, as the option `api` makes it: `receipts: TokenClientFor<typeof used>`. */
export type TokenClientFor<Use extends UsedApi> = TokenClient & ReturnType<Use['over']>

/**
 * Makes a client without Fastify; with the option `api`, it has `call`.
 * @throws {InvalidOptionError}
 */
export function createTokenClient<Use extends UsedApi>(
  options: (TokenClientOptions | TokenSourceOptions) & { readonly api: Use },
): TokenClientFor<Use>
export function createTokenClient(options: TokenClientOptions | TokenSourceOptions): TokenClient
export function createTokenClient(options: TokenClientOptions | TokenSourceOptions): TokenClient {
  return buildTokenClient(parseOptions(options, 'client')).client
}

/** Upper bound on cached views. A view that was evicted requests its token again. */
const maxViews = 1_000

/** A client, and how to tell it that it will be closed soon. */
export interface BuiltTokenClient {
  readonly client: TokenClient
  /** Whose tokens are fetched ahead. */
  readonly mainViews: readonly TokenView[]
  /** From now on no token is renewed ahead; running calls still get theirs. */
  readonly prepareToClose: () => void
}

/** Called for failures that no caller might see. */
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

  // Added to the view, because a copy would read its `dispatcher`, which the first call opens.
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

/** One view, and so one token, for all requests that need the same kind of token. */
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

/** Adds `call`, and returns the views whose tokens it sends. */
function addCall(client: TokenClient, { used, tokens }: ApiSettings): readonly TokenView[] {
  // Without scopes a request would get the server's default ones, which may be more than those of all operations.
  const viewOf = ({ scopes }: UsedOperation): TokenView =>
    scopes === 'public' || scopes.length === 0 ? client : client.with({ scopes })
  Object.assign(client, { call: callOver(used, tokens === 'shared' ? client : viewOf) })
  return tokens === 'shared' ? [client] : Object.values(used.operations).map(viewOf)
}

/** @throws {InvalidOptionError} if the API gives no calls; its code is not ours */
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
  throw new InvalidOptionError('option `api` cannot be used: its method `over` returns no `call`')
}
