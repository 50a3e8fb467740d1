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

/** Ways to authenticate with a shared secret. */
export const secretMethods = [
  'client_secret_basic',
  'client_secret_basic_unencoded',
  'client_secret_post',
  'client_secret_jwt',
] as const

export type SecretMethod = (typeof secretMethods)[number]

/**
 * How a client authenticates (RFC 6749 §2.3). Which certificate its connections present is independent of that
 * (RFC 8705 §3), except that `tls_client_auth` relies on it.
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
      /** The `client_assertion_type` (RFC 7521 §4.2). Default: that of RFC 7523. */
      readonly type?: string | undefined
    }
  | { readonly method: 'tls_client_auth' }

/** Resolves the credentials; called for each request, so that a rotated secret is used at once. */
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

/** A function of the user may return anything. */
function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new TypeError(`${what} is ${value === '' ? 'empty' : typeof value}, expected text`)
}

/** Whether the credentials can change: a function may return different ones next time. */
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

/** The audience of the assertion these credentials make; undefined if they make none. */
export function assertionAudienceOf(credentials: ClientCredentials): AssertionAudience | undefined {
  const { method } = credentials
  return method === 'private_key_jwt' || method === 'client_secret_jwt' ? credentials.audience : undefined
}
