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
  const dispatchers = dispatchersByIdentity(settings => createAgent(loadUndici(), settings))
  const close = (): Promise<void> => dispatchers.close()
  if (typeof tls === 'function') return { ...presentTokenCertificate(dispatchers, scheme), close }
  const identity = fixedIdentity(tls)
  return { scheme, dispatcher: () => dispatchers.for(identity), close }
}

/** Each connection presents the certificate with which the token of the call was requested. */
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
        // Every token of this client has an identity. A request without one is not authenticated, and the API refuses it.
        if (identity === undefined) return withoutCertificate(request, handler)
        return dispatchers.for(identity).dispatch(request, handler)
      })),
  }
}
