import type { Dispatcher } from 'undici'
import {
  connectToIssuer,
  requestFrom,
  type FetchRequest,
  type IssuerConnection,
  type TlsSettings,
} from 'oauth-issuer-connection'
import { cleanTokenAnswer } from './token-response.js'

/** The `fetch` that oauth4webapi uses for token requests. */
export type TokenEndpointFetch = (url: string, request: FetchRequest) => Promise<Response>

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
  tls: TlsSettings,
): ServerConnection {
  const issuer = connectToIssuer({ dispatcher, timeoutMs, tls, connections: maxConnections })
  return {
    issuer,
    send: async (url, request) =>
      cleanTokenAnswer(await issuer.exchange().request(url, requestFrom(request))),
    close: () => issuer.close(),
  }
}
