import {
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

/** Sends token requests over a connection. */
export function sendThrough(connection: IssuerConnection, tls: TlsSource): TokenEndpointFetch {
  return async (url, request) => {
    const exchange = connection.exchange()
    const response = cleanTokenAnswer(await exchange.request(url, requestFrom(request)))
    return { response, identity: typeof tls === 'function' ? await exchange.identity() : undefined }
  }
}
