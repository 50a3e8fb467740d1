import { parser, pem, type Parser } from 'declared-options'
import {
  assertionKeyOf,
  type AssertionKey,
  type ClientCredentials,
  type ProvideContext,
  type Provided,
  type SecretMethod,
} from 'oauth-issuer-connection'
import { InvalidOptionError } from '../errors.js'
import { audienceOf, refuseInert } from './assertion-options.js'
import { topLevel } from './place.js'
import type { Profile } from './profiles.js'
import type { Checked } from './options.js'
import { valueOrFile } from './value-or-file.js'

/**
 * The client authentication method (RFC 6749 §2.3, RFC 8705 §2). The default depends on the given credentials. If the
 * client is registered for `self_signed_tls_client_auth`, set `tls_client_auth`, because the client behaves in the same
 * way for both methods.
 */
export type ClientAuthenticationMethod = SecretMethod | 'tls_client_auth'

/** Parses a certificate in PEM format, or a function that returns a certificate. */
export const providedCertificate: Parser<Provided<string>> = parser({
  expected: 'a certificate in PEM format, or a function that returns one',
  fromText: true,
  read: (value, place) =>
    typeof value === 'function'
      ? (value as (context: ProvideContext) => string)
      : pem('certificate').read(value, place),
})

/** The options that can authenticate the client. Only one of these options is used. */
const proofs = [
  'clientSecret',
  'privateKey',
  'privateKeyFile',
  'signAssertion',
  'clientAssertion',
  'clientAssertionFile',
] as const

type Proof = (typeof proofs)[number] | ClientAuthenticationMethod

/**
 * Returns the credentials of the client.
 * @throws {InvalidOptionError} if the options contradict each other. The message contains no secrets
 */
export function credentialsOf(given: Checked, profile: Profile): ClientCredentials {
  const audience = audienceOf(given, profile.assertionAudience)
  const proof = findProof(given)
  refuseInert(given, proof)
  switch (proof) {
    case 'tls_client_auth':
      return { method: proof }
    case 'privateKey':
    case 'privateKeyFile':
    case 'signAssertion':
      return { method: 'private_key_jwt', audience, key: keyOf(given, profile) }
    case 'clientAssertion':
    case 'clientAssertionFile':
      return {
        method: 'client_assertion',
        // This cast is safe because `findProof` has checked that this option is set.
        assertion: valueOrFile(given, 'clientAssertion') as Provided<string>,
        type: given.clientAssertionType,
      }
    case undefined:
    case 'clientSecret':
      return { method: 'client_secret_basic', secret: secretOf(given), audience }
    default:
      return { method: proof, secret: secretOf(given), audience }
  }
}

/**
 * Returns the configured authentication method, or else the name of the option that contains the credential. Throws if
 * options contradict each other.
 */
function findProof(given: Checked): Proof | undefined {
  const method = given['clientAuthentication']
  // With a client secret and a certificate, the private key is used for TLS, not for assertions (RFC 8705 §3).
  const isOfCertificate =
    given.clientSecret !== undefined &&
    (given.certificate !== undefined || given.certificateFile !== undefined)
  const found = proofs.filter(name => given[name] !== undefined && !(isKey(name) && isOfCertificate))
  if (method === 'tls_client_auth') {
    const other = found.find(name => !isKey(name))
    if (other !== undefined)
      throw new InvalidOptionError(`option \`${other}\` is not used with \`${method}\`; leave it out`)
    return method
  }
  if (found.length > 1)
    throw new InvalidOptionError(
      `options ${found.map(name => `\`${name}\``).join(' and ')} cannot be combined; use one of them`,
    )
  if (method !== undefined && found[0] !== undefined && found[0] !== 'clientSecret')
    throw new InvalidOptionError(
      `option \`clientAuthentication\` is '${method}', which uses \`clientSecret\` and not \`${found[0]}\`; leave one of them out`,
    )
  return method ?? found[0]
}

function isKey(name: string): boolean {
  return name === 'privateKey' || name === 'privateKeyFile'
}

function keyOf(given: Checked, { rsaAlgorithm }: Profile): AssertionKey {
  const privateKey = valueOrFile(given, 'privateKey')
  const certificate = valueOrFile(given, 'certificate')
  // This cast is safe because `findProof` has checked that one of these options is set.
  return assertionKeyOf({ ...given, privateKey, certificate }, topLevel, rsaAlgorithm) as AssertionKey
}

function secretOf({ clientSecret }: Checked): Provided<string> {
  if (clientSecret !== undefined) return clientSecret
  throw new InvalidOptionError(
    'option `clientSecret` is missing (is the environment variable set?); set it, or another credential such as `privateKey` or `clientAssertion`',
  )
}
