import { LRUCache } from 'lru-cache'
import type { Dispatcher } from 'undici'
import { locateServer, type ServerLocation } from './acquire/authorization-server.js'
import { cacheKey } from './acquire/cache-key.js'
import { dpopProofs } from './acquire/dpop-proofs.js'
import { requestToken, type TokenAnswer, type TokenRequest } from './acquire/request-token.js'
import { connectToServer } from './acquire/token-endpoint-fetch.js'
import { createTokenSource } from './acquire/token-source.js'
import { createDpopScheme } from './attach/dpop-scheme.js'
import { bearer } from './attach/scheme.js'
import { endWith, grantFor, subjectTokenOf, type Subject } from './call/on-behalf-of.js'
import { createTokenView, type TokenView } from './call/token-view.js'
import { loadUndici } from './call/undici.js'
import { report } from './diagnostics.js'
import type { TokenClientOptions } from './options/options.js'
import { parseOptions, type Settings } from './options/settings.js'
import type { TargetOptions } from './options/target-options.js'
import { shareTokens, type AskForToken } from './share/share-tokens.js'
import type { TokenStore } from './share/token-store.js'
import { schedule } from './token.js'

/** An HTTP client for one API, that gets, keeps and renews its own access token. */
export interface TokenClient extends TokenView {
  /** The same API with another kind of token: other scopes, say. Connections are shared; tokens are not. */
  with(target: TargetOptions): TokenView
  /**
   * The same API on behalf of whoever sent an incoming request (RFC 8693, RFC 7523): the token is had for theirs, kept
   * for as long as theirs lasts, and never used for anybody else.
   */
  onBehalfOf(subject: Subject, target?: TargetOptions): TokenView
  /** Lets running calls end, then closes what the client opened. A second time changes nothing. */
  close(): Promise<void>
}

/**
 * Makes a client without Fastify.
 * @throws {InvalidOptionError}
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  return buildTokenClient(parseOptions(options, 'client')).client
}

/** More views are not remembered; one that is forgotten asks for its token anew. */
const maxViews = 1_000

/** A client, and how it is told that its end is near. */
export interface BuiltTokenClient {
  readonly client: TokenClient
  /** From now on no token is renewed ahead; calls that still run get theirs. */
  readonly prepareToClose: () => void
}

/** What goes wrong behind the calls, where no caller could tell of it. */
export interface Troubles {
  /** A request for a token failed; `servingOld` tells whether calls go on with the token at hand. */
  readonly tokenFailed?: (error: Error, servingOld: boolean) => void
  readonly storeFailed?: (operation: keyof TokenStore, reason: string) => void
}

export function buildTokenClient(settings: Settings, troubles: Troubles = {}): BuiltTokenClient {
  /** No token is renewed ahead any more; what still runs goes on. */
  let closing = false
  let closed: Promise<void> | undefined
  const { name, now, random, lifetimes } = settings
  const server = connectToServer(settings.issuerDispatcher, settings.issuerTimeoutMs, settings.tls)
  const location = { issuer: settings.issuer, tokenEndpoint: settings.tokenEndpoint } as ServerLocation
  const endpoint = {
    locate: locateServer(location, { send: server.send, allowInsecureHttp: settings.allowInsecureHttp, now }),
    send: server.send,
    timeoutMs: settings.issuerTimeoutMs,
    now,
  }
  let agent: Dispatcher | undefined
  const transport = (): Dispatcher => {
    if (settings.dispatcher !== undefined) return settings.dispatcher
    if (agent === undefined) {
      agent = new (loadUndici().Agent)({ connect: settings.tls })
      if (closed !== undefined) void agent.close()
    }
    return agent
  }
  const proofs = settings.dpop && dpopProofs(settings.dpop)
  const views = new LRUCache<string, TokenView>({ max: maxViews })

  function askFor(request: TokenRequest): AskForToken {
    return () => {
      report('fastify-token-client:token-requested', { name })
      return requestToken(request, endpoint)
    }
  }

  const onFailure = (error: Error, servingOld: boolean): void => {
    if (!closing) troubles.tokenFailed?.(error, servingOld)
  }
  const scheme = settings.dpop === undefined ? bearer : createDpopScheme(settings.dpop)
  const open = (ask: AskForToken): TokenView =>
    createTokenView(
      createTokenSource(name, ask, lifetimes, {
        now,
        random,
        isClosing: () => closing,
        onFailure,
      }),
      { transport, scheme },
      settings,
    )

  function keep(key: string, make: () => AskForToken): TokenView {
    const view = views.get(key) ?? open(make())
    views.set(key, view)
    return view
  }

  function viewFor(target: TargetOptions): TokenView {
    const parameters = settings.parametersOf(target)
    const request = { ...settings, proofs, grantType: 'client_credentials', parameters }
    const key = cacheKey(request)
    return keep(key, () => shared(askFor(request), key, settings, troubles))
  }

  function viewOnBehalfOf(subject: Subject, target: TargetOptions): TokenView {
    const token = subjectTokenOf(subject)
    const { grantType, parameters } = grantFor(settings.onBehalfOfGrant, token)
    const request = {
      ...settings,
      proofs,
      grantType,
      parameters: [...parameters, ...settings.parametersOf(target)],
    }
    return keep(cacheKey(request), () => endWith(token, askFor(request), now))
  }

  async function close(): Promise<void> {
    closing = true
    await agent?.close()
    await server.close()
  }

  const beyondView: Omit<TokenClient, keyof TokenView> = {
    with: target => viewFor({ ...settings.target, ...target }),
    onBehalfOf: (subject, target) => viewOnBehalfOf(subject, { ...settings.target, ...target }),
    close: () => (closed ??= close()),
  }
  // Not spread: that would read `dispatcher`, which is made at the first call.
  const view = Object.getOwnPropertyDescriptors(viewFor(settings.target))
  const client = Object.defineProperties(beyondView, view) as TokenClient
  return {
    client,
    prepareToClose() {
      closing = true
    },
  }
}

/** With a store, processes share their tokens. */
function shared(ask: AskForToken, key: string, settings: Settings, { storeFailed }: Troubles): AskForToken {
  const { sharing, name, lifetimes, now, issuerTimeoutMs } = settings
  if (sharing === undefined) return ask
  const timesOf = ({ requestedAt, expiresIn }: TokenAnswer): ReturnType<typeof schedule> =>
    schedule({ requestedAt, expiresIn, tookMs: 0 }, lifetimes, 0)
  return shareTokens(ask, {
    ...sharing,
    key,
    freshUntil: answer => timesOf(answer).renewAt,
    expiresAt: answer => timesOf(answer).expiresAt,
    requestTimeoutMs: issuerTimeoutMs,
    now,
    onStoreFailure(operation, { message: reason }) {
      storeFailed?.(operation, reason)
      report('fastify-token-client:store-failed', { name, operation, reason })
    },
  })
}
