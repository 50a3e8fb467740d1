import type { ClientAuth } from 'oauth4webapi'
import { basic, unencodedBasic } from './basic.js'
import {
  assertedElsewhere,
  keyAssertion,
  secretAssertion,
  type AssertionAudience,
  type AssertionKey,
} from './client-assertion.js'
import { provide, type ProvideContext, type Provided } from './provide.js'

/** The authentication methods that use a client secret. */
export const secretMethods = [
  'client_secret_basic',
  'client_secret_basic_unencoded',
  'client_secret_post',
  'client_secret_jwt',
] as const

export type SecretMethod = (typeof secretMethods)[number]

/**
 * The credentials of a client (RFC 6749 §2.3). With `tls_client_auth`, the client authenticates with its TLS client
 * certificate. With any other method, a client certificate is optional and only binds tokens to the certificate (RFC
 * 8705 §3).
 */
export type ClientCredentials =
  | {
      readonly method: SecretMethod
      readonly secret: Provided<string>
      readonly audience: AssertionAudience
    }
  | { readonly method: 'private_key_jwt'; readonly key: AssertionKey; readonly audience: AssertionAudience }
  | {
      readonly method: 'client_assertion'
      readonly assertion: Provided<string>
      /** The `client_assertion_type` parameter (RFC 7521 §4.2). Default: the URN for JWT assertions (RFC 7523 §2.2). */
      readonly type?: string | undefined
    }
  | { readonly method: 'tls_client_auth' }

/**
 * Creates the client authentication for a single request. It is created again for each request, so that a rotated
 * secret takes effect with the next one.
 */
export async function authenticate(
  credentials: ClientCredentials,
  context: ProvideContext,
): Promise<ClientAuth> {
  switch (credentials.method) {
    case 'private_key_jwt':
      return keyAssertion(credentials.key, credentials.audience, context)
    case 'client_assertion': {
      const assertion = text(await provide(credentials.assertion, context), 'the client assertion')
      return assertedElsewhere(assertion, credentials.type)
    }
    case 'tls_client_auth':
      return (await import('oauth4webapi')).TlsClientAuth()
    default: {
      const secret = text(await provide(credentials.secret, context), 'the client secret')
      return withSecret(credentials.method, secret, credentials.audience)
    }
  }
}

async function withSecret(
  method: SecretMethod,
  secret: string,
  audience: AssertionAudience,
): Promise<ClientAuth> {
  switch (method) {
    case 'client_secret_basic':
      return basic(secret)
    case 'client_secret_basic_unencoded':
      return unencodedBasic(secret)
    case 'client_secret_post':
      return (await import('oauth4webapi')).ClientSecretPost(secret)
    default:
      return secretAssertion(secret, audience)
  }
}

/** Checks that a secret or an assertion is a non-empty string, because a user's function can return any value. */
function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`${what} is ${value === '' ? 'empty' : typeof value}, expected text`)
}

/**
 * Returns true if the credentials come from a function that the user provides. Such a function may return different
 * credentials on the next call.
 */
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

/**
 * Returns the audience of the client assertion, or undefined if the authentication method does not sign an assertion.
 */
export function assertionAudienceOf(credentials: ClientCredentials): AssertionAudience | undefined {
  const { method } = credentials
  return method === 'private_key_jwt' || method === 'client_secret_jwt' ? credentials.audience : undefined
}
