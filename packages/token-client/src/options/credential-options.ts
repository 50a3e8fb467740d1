import { readFile } from 'node:fs/promises'
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
    case 'signAssertion':
      return { method: 'private_key_jwt', audience, key: keyOf(given, profile) }
    case 'clientAssertion':
      return { method: 'client_assertion', assertion: required(given, 'clientAssertion') }
    case 'clientAssertionFile': {
      // Read for each request: whoever rotates the file need tell nobody.
      const file = required(given, 'clientAssertionFile')
      return { method: 'client_assertion', assertion: () => readFile(file, 'utf8') }
    }
    case undefined:
    case 'clientSecret':
      return { method: 'client_secret_basic', secret: required(given, 'clientSecret'), audience }
    default:
      return { method: proof, secret: required(given, 'clientSecret'), audience }
  }
}

/** The method, where it is named, else the option that is given; what contradicts it is refused. */
function findProof(given: Checked): Proof | undefined {
  const method = given['clientAuthentication']
  // Beside a secret and a certificate, the key belongs to the certificate (RFC 8705 §3).
  const isOfCertificate = given['clientSecret'] !== undefined && given['certificate'] !== undefined
  const found = proofs.filter(
    name => given[name] !== undefined && !(name === 'privateKey' && isOfCertificate),
  )
  if (method === 'tls_client_auth') {
    const other = found.find(name => name !== 'privateKey')
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
      `option \`clientAuthentication\` is '${method}', which wants \`clientSecret\` and not \`${found[0]}\`; leave one of them out`,
    )
  return method ?? found[0]
}

function keyOf(given: Checked, { rsaAlgorithm }: Profile): AssertionKey {
  // One of the two options is the proof, so there is a key.
  return assertionKeyOf(given, topLevel, rsaAlgorithm) as AssertionKey
}

/** The option that proves who the client is. */
function required<Name extends 'clientSecret' | 'clientAssertion' | 'clientAssertionFile'>(
  given: Checked,
  name: Name,
): NonNullable<Checked[Name]> {
  const value = given[name]
  if (value !== undefined) return value
  throw new InvalidOptionError(
    `option \`${name}\` is missing; give it (is the environment variable set?), or \`privateKey\`, \`clientAssertion\` or another proof of who the client is`,
  )
}
