import type { Dispatcher } from 'undici'
import {
  createAgent,
  dispatchersByIdentity,
  fixedIdentity,
  type DispatchersByIdentity,
  type TlsSource,
} from 'oauth-issuer-connection'
import { identityFor, noteIdentity } from '../attach/bound-request.js'
import type { TokenScheme } from '../attach/token-scheme.js'
import { loadUndici } from './load-undici.cjs'

/** The connections to the API. The clients that `with` and `onBehalfOf` return share these connections. */
export interface ApiConnection {
  /** Returns the dispatcher for calls. The dispatcher is created on first use. */
  readonly dispatcher: () => Dispatcher
  readonly scheme: TokenScheme
  /**
   * Waits for in-flight calls, then closes the client's own dispatcher. A dispatcher that the user passed stays open.
   */
  readonly close: () => Promise<void>
}

/**
 * Creates the connections to the API.
 * @param given the user's own dispatcher. If it is set, all calls use this dispatcher, and it is never closed
 */
export function connectToApi(
  given: Dispatcher | undefined,
  tls: TlsSource,
  scheme: TokenScheme,
): ApiConnection {
  if (given !== undefined) return { scheme, dispatcher: () => given, close: async () => {} }
  const dispatchers = dispatchersByIdentity(settings => createAgent(loadUndici(), settings))
  const close = (): Promise<void> => dispatchers.close()
  if (typeof tls === 'function') return { ...presentTokenCertificate(dispatchers, scheme), close }
  const identity = fixedIdentity(tls)
  return { scheme, dispatcher: () => dispatchers.for(identity), close }
}

/** Sends each call over a connection that presents the client certificate with which the call's token was requested. */
function presentTokenCertificate(
  dispatchers: DispatchersByIdentity,
  scheme: TokenScheme,
): Omit<ApiConnection, 'close'> {
  let router: Dispatcher | undefined
  return {
    scheme: noteIdentity(scheme),
    dispatcher: () =>
      (router ??= createAgent(loadUndici(), {}).compose(withoutCertificate => (request, handler) => {
        const identity = identityFor(request)
        // Requests that carry a token are sent with the client certificate. Requests without a token are rejected by the API.
        if (identity === undefined) return withoutCertificate(request, handler)
        return dispatchers.for(identity).dispatch(request, handler)
      })),
  }
}
