import {
  requestFrom,
  type FetchRequest,
  type IssuerConnection,
  type TlsIdentity,
  type TlsSource,
} from 'oauth-issuer-connection'
import { cleanTokenAnswer } from './token-response.js'

/** Sends a token request that oauth4webapi created. */
export type TokenEndpointFetch = (url: string, request: FetchRequest) => Promise<TokenEndpointAnswer>

export interface TokenEndpointAnswer {
  readonly response: Response
  /**
   * The client certificate that the connection presented. Undefined if the client has no certificate or always uses the
   * same one.
   */
  readonly identity: TlsIdentity | undefined
}

/** Returns a function that sends token requests over a connection. */
export function sendThrough(connection: IssuerConnection, tls: TlsSource): TokenEndpointFetch {
  return async (url, request) => {
    const exchange = connection.exchange()
    const response = cleanTokenAnswer(await exchange.request(url, requestFrom(request)))
    return { response, identity: typeof tls === 'function' ? await exchange.identity() : undefined }
  }
}
