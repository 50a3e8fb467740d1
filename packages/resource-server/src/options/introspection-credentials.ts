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

/** How this service authenticates to the issuer; the same options as in fastify-token-client. */
export interface IntrospectionCredentials {
  /** The client id of this service at the issuer. */
  clientId: string
  /** The client secret, or a function that gives it: called for each request, and once more when it is refused. */
  clientSecret?: Provided<string>
  /** How the client authenticates. Default with a secret: as the issuer's metadata lists it, preferably `client_secret_basic`. */
  clientAuthentication?: SecretMethod | 'tls_client_auth'
  /** A private key instead of a secret: `private_key_jwt` (RFC 7523 §2.2). PEM, JWK, KeyObject or CryptoKey, or a function. */
  privateKey?: Provided<PrivateKeyInput>
  /** Signs assertions with a key that is kept elsewhere; needs `keyAlgorithm`. ECDSA signatures are r‖s (RFC 7518 §3.4). */
  signAssertion?: SignAssertion
  /** The key id in the assertion's header. */
  keyId?: string
  /** The assertion's algorithm, if the key alone does not tell. */
  keyAlgorithm?: string
  /** The certificate of `privateKey` as PEM. With `tls_client_auth` or a secret, connections present it (RFC 8705). */
  certificate?: string
  /** An assertion made by another party, or a function that gives it (RFC 7521 §4.2). */
  clientAssertion?: Provided<string>
  /** The audience of assertions: the `issuer` (default), or the `token_endpoint` for servers that predate RFC 10070. */
  assertionAudience?: AssertionAudience
}

/** The credentials after each option was checked on its own. */
interface Checked extends CredentialOptions {
  readonly clientId: string
  readonly certificate: string | undefined
}

export const credentialDeclaration: { readonly [Name in keyof Checked]: Parser<Checked[Name]> } = {
  ...credentialOptions,
  clientId: text('the client id of this service'),
  certificate: optional(pem('certificate')),
}

/** @throws the error of the place, without any secret in the message */
export function introspectionClientOf(given: Checked, place: Place): IntrospectionClient {
  return { clientId: given.clientId, credentials: credentialsOf(given, place), tls: tlsOf(given, place) }
}

const proofs = ['clientSecret', 'signAssertion', 'clientAssertion', 'privateKey'] as const

function credentialsOf(given: Checked, place: Place): IntrospectionClient['credentials'] {
  const { clientSecret, clientAssertion, clientAuthentication: method } = given
  const { assertionAudience: audience = 'issuer' } = given
  const [proof, other] = proofs.filter(name => given[name] !== undefined)
  if (method === 'tls_client_auth') return { method }
  // Beside a secret, the key belongs to the certificate that connections present.
  if (other !== undefined && !(proof === 'clientSecret' && other === 'privateKey'))
    throw place.toError(
      `options \`${place.option}.${proof}\` and \`${place.option}.${other}\` exclude each other; give one of them`,
    )
  if (clientSecret !== undefined) return { method, audience, secret: clientSecret }
  if (clientAssertion !== undefined) return { method: 'client_assertion', assertion: clientAssertion }
  const key = assertionKeyOf(given, place, 'RS256')
  if (key !== undefined) return { method: 'private_key_jwt', audience, key }
  throw place.toError(
    `option \`${place.option}.clientSecret\` is missing; give it (is the environment variable set?), or \`privateKey\`, \`clientAssertion\` or another proof of the client`,
  )
}

/** Connections present the certificate unless it only names the key of assertions. */
function tlsOf(given: Checked, place: Place): TlsSettings {
  const { certificate: cert, privateKey: key, clientSecret, clientAuthentication: method } = given
  const isPresented = method === 'tls_client_auth' || (clientSecret !== undefined && cert !== undefined)
  if (!isPresented) return {}
  if (typeof cert === 'string' && typeof key === 'string') return { cert, key }
  throw place.toError(
    `options \`${place.option}.certificate\` and \`${place.option}.privateKey\` have to be PEM text when connections present the certificate (RFC 8705)`,
  )
}
