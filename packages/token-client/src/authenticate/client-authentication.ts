import {
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  TlsClientAuth,
  type ClientAuth,
} from 'oauth4webapi'
import {
  addressed,
  assertedElsewhere,
  keyAssertion,
  type AssertionAudience,
  type AssertionKey,
} from './client-assertion.js'
import { provide, type ProvideContext, type Provided } from './provide.js'

/** How the client proves who it is at the token endpoint (RFC 6749 §2.3). */
export type ClientCredentials =
  | {
      readonly method:
        | 'client_secret_basic'
        | 'client_secret_basic_unencoded'
        | 'client_secret_post'
        | 'client_secret_jwt'
      readonly secret: Provided<string>
      readonly audience: AssertionAudience
    }
  | { readonly method: 'private_key_jwt'; readonly key: AssertionKey; readonly audience: AssertionAudience }
  | { readonly method: 'client_assertion'; readonly assertion: Provided<string> }
  | { readonly method: 'tls_client_auth' }

/** Resolves the credentials anew: called for each token request, so that a rotated secret is picked up. */
export async function authenticate(
  credentials: ClientCredentials,
  context: ProvideContext,
): Promise<ClientAuth> {
  const { method } = credentials
  switch (method) {
    case 'client_secret_basic':
      return ClientSecretBasic(await provide(credentials.secret, context))
    case 'client_secret_basic_unencoded':
      return unencodedBasic(await provide(credentials.secret, context))
    case 'client_secret_post':
      return ClientSecretPost(await provide(credentials.secret, context))
    case 'client_secret_jwt': {
      const secret = await provide(credentials.secret, context)
      return addressed(credentials.audience, options => ClientSecretJwt(secret, options))
    }
    case 'private_key_jwt':
      return keyAssertion(credentials.key, credentials.audience, context)
    case 'client_assertion':
      return assertedElsewhere(await provide(credentials.assertion, context))
    default:
      return TlsClientAuth()
  }
}

/** Whether asking for the credentials again can give others. */
export function canChange(credentials: ClientCredentials): boolean {
  switch (credentials.method) {
    case 'private_key_jwt':
      return (
        ('key' in credentials.key && typeof credentials.key.key === 'function') ||
        typeof credentials.key.certificate === 'function'
      )
    case 'client_assertion':
      return typeof credentials.assertion === 'function'
    case 'tls_client_auth':
      return false
    default:
      return typeof credentials.secret === 'function'
  }
}

/** For servers that do not decode the two as RFC 6749 §2.3.1 wants. */
function unencodedBasic(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`)
  }
}
