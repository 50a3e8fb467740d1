import { optional, pem, text, type Parser, type Place } from 'declared-options'
import {
  assertionKeyOf,
  credentialOptions,
  type AssertionAudience,
  type CredentialOptions,
  type PrivateKeyInput,
  type Provided,
  type SecretMethod,
  type SignAssertion,
  type TlsSettings,
} from 'oauth-issuer-connection'
import type { IntrospectionClient } from '../introspection/ask-issuer.js'

/** The credentials with which this API authenticates to the issuer. fastify-token-client has the same options. */
export interface IntrospectionCredentials {
  /** The client id under which this API is registered with the issuer. */
  clientId: string
  /**
   * The client secret, or a function that returns the secret. The function is called for each introspection request,
   * and once more if the issuer rejects the secret.
   */
  clientSecret?: Provided<string>
  /**
   * The client authentication method. If `clientSecret` is set, the default is a method that the issuer's metadata
   * lists, preferably `client_secret_basic`.
   */
  clientAuthentication?: SecretMethod | 'tls_client_auth'
  /**
   * A private key for `private_key_jwt` (RFC 7523 §2.2) as PEM, JWK, KeyObject or CryptoKey, or a function that
   * returns the key.
   */
  privateKey?: Provided<PrivateKeyInput>
  /**
   * A function that signs client assertions with a key in a KMS or HSM. Requires `keyAlgorithm`. ECDSA signatures
   * must have the format r‖s (RFC 7518 §3.4).
   */
  signAssertion?: SignAssertion
  /** The `kid` in the header of client assertions. */
  keyId?: string
  /** The signature algorithm of client assertions. Required if the key does not determine the algorithm. */
  keyAlgorithm?: string
  /**
   * The certificate for `privateKey`, as PEM. If `tls_client_auth` or `clientSecret` is used, the certificate is
   * presented in TLS handshakes with the issuer (RFC 8705).
   */
  certificate?: string
  /** A client assertion that another party issued (RFC 7521 §4.2), or a function that returns the assertion. */
  clientAssertion?: Provided<string>
  /**
   * The audience of client assertions. With `issuer` (default), it is the issuer identifier. With `token_endpoint`, it
   * is the URL of the token endpoint, as servers that predate RFC 10070 may require.
   */
  assertionAudience?: AssertionAudience
}

/** Options that are valid individually. Whether they can be combined has not been checked yet. */
interface Checked extends CredentialOptions {
  readonly clientId: string
  readonly certificate: string | undefined
}

export const credentialDeclaration: { readonly [Name in keyof Checked]: Parser<Checked[Name]> } = {
  ...credentialOptions,
  clientId: text('the client id of this API at the issuer'),
  certificate: optional(pem('certificate')),
}

/** @throws {InvalidOptionError} if the options cannot be combined. The message contains no secret */
export function introspectionClientOf(given: Checked, place: Place): IntrospectionClient {
  return { clientId: given.clientId, credentials: credentialsOf(given, place), tls: tlsOf(given, place) }
}

const proofs = ['clientSecret', 'signAssertion', 'clientAssertion', 'privateKey'] as const

function credentialsOf(given: Checked, place: Place): IntrospectionClient['credentials'] {
  const { clientSecret, clientAssertion, clientAuthentication: method } = given
  const { assertionAudience: audience = 'issuer' } = given
  const [proof, other] = proofs.filter(name => given[name] !== undefined)
  if (method === 'tls_client_auth') return { method }
  // `clientSecret` and `privateKey` can be combined, because `privateKey` is then the private key for the client certificate.
  if (other !== undefined && !(proof === 'clientSecret' && other === 'privateKey'))
    throw place.toError(
      `options \`${place.option}.${proof}\` and \`${place.option}.${other}\` cannot be combined; set only one of them`,
    )
  if (clientSecret !== undefined) return { method, audience, secret: clientSecret }
  if (clientAssertion !== undefined) return { method: 'client_assertion', assertion: clientAssertion }
  const key = assertionKeyOf(given, place, 'RS256')
  if (key !== undefined) return { method: 'private_key_jwt', audience, key }
  throw place.toError(
    `option \`${place.option}.clientSecret\` is missing; set it (is the environment variable set?), or set \`privateKey\`, \`signAssertion\` or \`clientAssertion\` instead`,
  )
}

/**
 * Returns the client certificate for TLS connections. If the certificate is used only for client assertions, returns
 * an empty object.
 */
function tlsOf(given: Checked, place: Place): TlsSettings {
  const { certificate: cert, privateKey: key, clientSecret, clientAuthentication: method } = given
  const isPresented = method === 'tls_client_auth' || (clientSecret !== undefined && cert !== undefined)
  if (!isPresented) return {}
  if (typeof cert === 'string' && typeof key === 'string') return { cert, key }
  throw place.toError(
    `options \`${place.option}.certificate\` and \`${place.option}.privateKey\` must be PEM strings, because they are used for TLS connections (RFC 8705)`,
  )
}
