import type { Dispatcher } from 'undici'
import {
  connectToIssuer,
  requestFrom,
  type FetchRequest,
  type IssuerConnection,
  type TlsIdentity,
  type TlsSource,
} from 'oauth-issuer-connection'
import { cleanTokenAnswer } from './token-response.js'

/** Sends a token request of oauth4webapi. */
export type TokenEndpointFetch = (url: string, request: FetchRequest) => Promise<TokenEndpointAnswer>

export interface TokenEndpointAnswer {
  readonly response: Response
  /** The certificate that was presented, if certificates are replaced at run time. */
  readonly identity: TlsIdentity | undefined
}

/** One is enough for client credentials; tokens on behalf of many callers are requested side by side. */
const maxConnections = 16

/** A way to the authorization server. */
export interface ServerConnection {
  readonly issuer: IssuerConnection
  readonly send: TokenEndpointFetch
  close(): Promise<void>
}

/** @param timeoutMs for one exchange altogether, in milliseconds */
export function connectToServer(
  dispatcher: Dispatcher | undefined,
  timeoutMs: number,
  tls: TlsSource,
): ServerConnection {
  const issuer = connectToIssuer({ dispatcher, timeoutMs, tls, connections: maxConnections })
  return {
    issuer,
    async send(url, request) {
      const exchange = issuer.exchange()
      const response = cleanTokenAnswer(await exchange.request(url, requestFrom(request)))
      return { response, identity: typeof tls === 'function' ? await exchange.identity() : undefined }
    },
    close: () => issuer.close(),
  }
}
