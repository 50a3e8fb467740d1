import type { Dispatcher } from 'undici'
import { createAgent, dispatchersByIdentity, type TlsSettings, type TlsSource } from 'oauth-issuer-connection'
import { identityFor, noteIdentity } from '../attach/bound-request.js'
import type { TokenScheme } from '../attach/token-scheme.js'
import { loadUndici } from './load-undici.cjs'

/** How calls reach the API; all views of a client share it. */
export interface ApiConnection {
  /** The dispatcher that calls are sent through; opened by the first call. */
  readonly dispatcher: () => Dispatcher
  readonly scheme: TokenScheme
  /** Closes the dispatcher, unless it was given, after the calls that are running. */
  readonly close: () => Promise<void>
}

/** @param given used instead of an agent of our own, and never closed */
export function connectToApi(
  given: Dispatcher | undefined,
  tls: TlsSource,
  scheme: TokenScheme,
): ApiConnection {
  if (given !== undefined) return { scheme, dispatcher: () => given, close: async () => {} }
  return typeof tls === 'function' ? connectWithTokens(scheme) : connectAlways(tls, scheme)
}

/** One agent, with one client certificate or none. */
function connectAlways(tls: TlsSettings, scheme: TokenScheme): ApiConnection {
  let agent: Dispatcher | undefined
  let isClosed = false
  return {
    scheme,
    dispatcher() {
      if (agent === undefined) {
        agent = createAgent(loadUndici(), tls)
        if (isClosed) void agent.close() // calls fail with undici's own error
      }
      return agent
    },
    async close() {
      isClosed = true
      await agent?.close()
    },
  }
}

/** Connections present the certificate that the token of the call was requested with. */
function connectWithTokens(scheme: TokenScheme): ApiConnection {
  const dispatchers = dispatchersByIdentity(tls => createAgent(loadUndici(), tls))
  let router: Dispatcher | undefined
  return {
    scheme: noteIdentity(scheme),
    dispatcher: () =>
      (router ??= createAgent(loadUndici(), {}).compose(withoutCertificate => (request, handler) => {
        const identity = identityFor(request)
        // Every token of this client has an identity. A request without one is not authenticated, and the API refuses it.
        if (identity === undefined) return withoutCertificate(request, handler)
        return dispatchers.for(identity).dispatch(request, handler)
      })),
    close: () => dispatchers.close(),
  }
}
