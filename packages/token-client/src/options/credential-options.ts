import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ClientCredentials } from '../authenticate/client-authentication.js'
import type { AssertionAudience, SignAssertion } from '../authenticate/client-assertion.js'
import { keyAlgorithms, type PrivateKeyInput } from '../authenticate/private-key.js'
import type { Provided } from '../authenticate/provide.js'
import { InvalidOptionError } from '../errors.js'
import { parseAudience, refuseInert } from './assertion-options.js'
import type { Profile } from './profiles.js'
import { checkPem, text, wrong, type Given } from './read-option.js'

const secretMethods = [
  'client_secret_basic',
  'client_secret_basic_unencoded',
  'client_secret_post',
  'client_secret_jwt',
] as const
const tlsMethods = ['tls_client_auth'] as const

/**
 * How the client authenticates (RFC 6749 §2.3, RFC 8705 §2); it follows from what is given, if not named. `tls_client_auth` also
 * stands for `self_signed_tls_client_auth`: the client does the same for both.
 */
export type ClientAuthenticationMethod = (typeof secretMethods)[number] | (typeof tlsMethods)[number]

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
export function parseCredentials(given: Given, profile: Profile): ClientCredentials {
  const audience = parseAudience(given, profile.assertionAudience)
  const proof = findProof(given)
  refuseInert(given, proof)
  checkPem('privateKey', given['privateKey'], createPrivateKey, 'private key in PEM')
  checkPem('certificate', given['certificate'], pem => new X509Certificate(pem), 'certificate in PEM')
  switch (proof) {
    case 'tls_client_auth':
      return { method: proof }
    case 'privateKey':
    case 'signAssertion':
      return parseAssertion(given, audience, profile.rsaAlgorithm)
    case 'clientAssertion':
      return { method: 'client_assertion', assertion: secret(given, 'clientAssertion') }
    case 'clientAssertionFile': {
      // Read for each request: whoever rotates the file need tell nobody.
      const file = text(given, 'clientAssertionFile') as string
      return { method: 'client_assertion', assertion: () => readFile(file, 'utf8') }
    }
    case undefined:
    case 'clientSecret':
      return { method: 'client_secret_basic', secret: secret(given, 'clientSecret'), audience }
    default:
      return { method: proof, secret: secret(given, 'clientSecret'), audience }
  }
}

/** The method, where it is named, else the option that is given; what contradicts it is refused. */
function findProof(given: Given): Proof | undefined {
  const method = given['clientAuthentication']
  const found = proofs.filter(name => given[name] !== undefined)
  if (isOneOf(tlsMethods, method)) {
    const other = found.find(name => name !== 'privateKey')
    if (other !== undefined)
      throw new InvalidOptionError(`option \`${other}\` is not used with \`${method}\`; leave it out`)
    return method
  }
  if (method !== undefined && !isOneOf(secretMethods, method))
    throw wrong(
      'clientAuthentication',
      method,
      [...secretMethods, ...tlsMethods].map(name => `'${name}'`).join(', '),
    )
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

function parseAssertion(given: Given, audience: AssertionAudience, rsaAlgorithm: string): ClientCredentials {
  const { privateKey, signAssertion: sign } = given
  const keyId = text(given, 'keyId')
  const algorithm = text(given, 'keyAlgorithm')
  const certificate = given['certificate'] === undefined ? undefined : secret(given, 'certificate')
  if (sign === undefined) {
    if (algorithm !== undefined && !keyAlgorithms.includes(algorithm))
      throw wrong('keyAlgorithm', algorithm, keyAlgorithms.map(name => `'${name}'`).join(', '))
    return {
      method: 'private_key_jwt',
      key: { key: privateKey as Provided<PrivateKeyInput>, keyId, algorithm, rsaAlgorithm, certificate },
      audience,
    }
  }
  if (typeof sign !== 'function')
    throw new InvalidOptionError('option `signAssertion` wants a function that signs bytes')
  if (algorithm === undefined)
    throw new InvalidOptionError(
      "option `keyAlgorithm` is missing; `signAssertion` needs it to say how it signs, such as 'RS256'",
    )
  return {
    method: 'private_key_jwt',
    key: { sign: sign as SignAssertion, keyId, algorithm, certificate },
    audience,
  }
}

function secret(given: Given, name: string): Provided<string> {
  const value = given[name]
  if ((typeof value === 'string' && value !== '') || typeof value === 'function')
    return value as Provided<string>
  throw new InvalidOptionError(
    `option \`${name}\` is ${value === undefined ? 'missing' : 'no text'}; it wants text or a function that gives it (is the environment variable set?)${name === 'clientSecret' ? '; or give `privateKey`, `clientAssertion` or another proof of who the client is' : ''}`,
  )
}

function isOneOf<T extends string>(names: readonly T[], value: unknown): value is T {
  return names.includes(value as T)
}
