import type { TlsIdentity } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import { identityOf } from '../token.js'
import type { TokenScheme } from './token-scheme.js'

const boundTo: unique symbol = Symbol('the certificate that the token is bound to')

type BoundRequest = Dispatcher.DispatchOptions & { readonly [boundTo]?: TlsIdentity | undefined }

/**
 * Attaches the token's client certificate to each request, so that the connection presents the certificate that the
 * token is bound to (RFC 8705 §3).
 */
export function noteIdentity(scheme: TokenScheme): TokenScheme {
  return {
    learn: (request, statusCode, headers) => scheme.learn(request, statusCode, headers),
    present(request, token) {
      const noted: BoundRequest = { ...request, [boundTo]: identityOf(token) }
      return scheme.present(noted, token)
    },
  }
}

/** Returns the client certificate that {@link noteIdentity} attached to a request. */
export function identityFor(request: BoundRequest): TlsIdentity | undefined {
  return request[boundTo]
}
