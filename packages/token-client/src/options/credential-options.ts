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
 * How the client authenticates (RFC 6749 §2.3, RFC 8705 §2); it follows from what is given, if not named. `tls_client_auth` also
 * stands for `self_signed_tls_client_auth`: the client does the same for both.
 */
export type ClientAuthenticationMethod = SecretMethod | 'tls_client_auth'

/** The certificate of a key as PEM, or a function that gives it. */
export const providedCertificate: Parser<Provided<string>> = parser({
  expected: 'a certificate in PEM, or a function that gives it',
  fromText: true,
  read: (value, place) =>
    typeof value === 'function'
      ? (value as (context: ProvideContext) => string)
      : pem('certificate').read(value, place),
})

/** The options that can prove who the client is; one of them does. */
const proofs = [
  'clientSecret',
  'privateKey',
  'privateKeyFile',
  'signAssertion',
  'clientAssertion',
  'clientAssertionFile',
] as const

type Proof = (typeof proofs)[number] | ClientAuthenticationMethod

/** @throws {InvalidOptionError} without any secret in the message */
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
        // It is the proof, so it is there.
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

/** The method, where it is named, else the option that is given; what contradicts it is refused. */
function findProof(given: Checked): Proof | undefined {
  const method = given['clientAuthentication']
  // Beside a secret and a certificate, the key belongs to the certificate (RFC 8705 §3).
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
      `options ${found.map(name => `\`${name}\``).join(' and ')} exclude each other; give one of them`,
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
  // One of the options is the proof, so there is a key.
  return assertionKeyOf({ ...given, privateKey, certificate }, topLevel, rsaAlgorithm) as AssertionKey
}

function secretOf({ clientSecret }: Checked): Provided<string> {
  if (clientSecret !== undefined) return clientSecret
  throw new InvalidOptionError(
    'option `clientSecret` is missing; give it (is the environment variable set?), or `privateKey`, `clientAssertion` or another proof of who the client is',
  )
}
