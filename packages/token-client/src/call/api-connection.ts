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

/** The connections to the API. All views of a client share them. */
export interface ApiConnection {
  /** Returns the dispatcher for calls. The first call opens it. */
  readonly dispatcher: () => Dispatcher
  readonly scheme: TokenScheme
  /** Closes the client's own dispatcher after the running calls. A given dispatcher stays open. */
  readonly close: () => Promise<void>
}

/**
 * Creates the connections to the API.
 * @param given a dispatcher of the user, which is used instead and never closed
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

/** Opens connections that present the certificate with which the token was requested. */
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
        // Only requests without a token have no identity. The API refuses such requests.
        if (identity === undefined) return withoutCertificate(request, handler)
        return dispatchers.for(identity).dispatch(request, handler)
      })),
  }
}
