import type { webcrypto } from 'node:crypto'
import { connectToIssuer, type TlsSource } from 'oauth-issuer-connection'
import { report } from '../diagnostics.js'
import type { IssuerSettings } from '../options/issuer-options.js'
import type { TargetOptions } from '../options/target-options.js'
import { locateServer } from './authorization-server.js'
import { cacheKey } from './cache-key.js'
import { dpopProofs } from './dpop-proofs.js'
import { capLifetime, clientCredentials, onBehalfOfGrant, type Grant } from './grants.js'
import { requestToken, type TokenEndpoint, type TokenRequest } from './request-token.js'
import { sendThrough } from './token-endpoint-fetch.js'
import type { TokenKind, TokenOrigin } from './token-origin.js'

/** The settings of the client that requests tokens. */
interface RequestingClient {
  readonly name: string
  readonly tls: TlsSource
  readonly dpop: (() => Promise<webcrypto.CryptoKeyPair>) | undefined
  readonly issuerTimeoutMs: number
  readonly now: () => number
}

/**
 * The maximum number of connections to the issuer. One connection is not enough, because tokens on behalf of different
 * callers are requested concurrently.
 */
const maxConnections = 16

/** Requests tokens from the token endpoint of an authorization server. */
export function tokensFromIssuer(settings: IssuerSettings, client: RequestingClient): TokenOrigin {
  const { clientId, credentials, parametersOf } = settings
  const { name, tls, dpop, issuerTimeoutMs: timeoutMs, now } = client
  const connection = connectToIssuer({
    dispatcher: settings.issuerDispatcher,
    timeoutMs,
    tls,
    connections: maxConnections,
  })
  const endpoint: TokenEndpoint = {
    locate: locateServer(settings.location, { ...settings, connection, now }),
    send: sendThrough(connection, tls),
    presentsCertificate: typeof tls === 'function' || tls.cert !== undefined,
    timeoutMs,
    now,
  }
  const proofs = dpop && dpopProofs(dpop)

  function kindOf({ grantType, parameters }: Grant, target: TargetOptions): TokenKind {
    const all = [...parameters, ...parametersOf(target)]
    const request: TokenRequest = { clientId, credentials, grantType, parameters: all, proofs }
    return {
      key: cacheKey(settings.location, request),
      ask() {
        report('fastify-token-client:token-requested', { name })
        return requestToken(request, endpoint)
      },
    }
  }

  return {
    forClient: target => kindOf(clientCredentials, target),
    onBehalfOf(token, target) {
      const { key, ask } = kindOf(onBehalfOfGrant(settings.onBehalfOfGrant, token), target)
      return { key, ask: capLifetime(ask, token, now) }
    },
    close: () => connection.close(),
  }
}
