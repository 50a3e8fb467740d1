import {
  callback,
  isObject,
  oneOf,
  optional,
  parser,
  pem,
  secret,
  show,
  text,
  type Parser,
  type Place,
} from 'declared-options'
import type { AssertionAudience, AssertionKey, SignAssertion } from './client-assertion.js'
import { secretMethods, type SecretMethod } from './client-authentication.js'
import { keyAlgorithms, type PrivateKeyInput } from './private-key.js'
import type { ProvideContext, Provided } from './provide.js'

/** The options for client authentication. Options that are not set have the value undefined. */
export interface CredentialOptions {
  readonly clientSecret: Provided<string> | undefined
  readonly clientAuthentication: SecretMethod | 'tls_client_auth' | undefined
  readonly privateKey: Provided<PrivateKeyInput> | undefined
  readonly signAssertion: SignAssertion | undefined
  readonly keyId: string | undefined
  readonly keyAlgorithm: string | undefined
  readonly clientAssertion: Provided<string> | undefined
  readonly assertionAudience: AssertionAudience | undefined
}

type ProvideText = (context: ProvideContext) => string | Promise<string>

/** Parses a private key. Error messages never contain the key. */
const privateKey: Parser<Provided<PrivateKeyInput>> = parser({
  expected:
    'a private key as PEM text, a JWK, a KeyObject or a CryptoKey, or a function that returns one of these',
  fromText: true,
  read(value, place) {
    if (typeof value === 'string') return pem('private key').read(value, place)
    // Keys that are not PEM text are checked later, when the first assertion is signed.
    if (typeof value === 'function' || isObject(value)) return value as Provided<PrivateKeyInput>
    throw place.toError(`option \`${place.option}\` is not ${privateKey.expected}`)
  },
})

/** Parsers of {@link CredentialOptions}. */
export const credentialOptions: {
  readonly [Name in keyof CredentialOptions]: Parser<CredentialOptions[Name]>
} = {
  clientSecret: optional(secret<ProvideText>('a string, or a function that returns a string')),
  clientAuthentication: optional(oneOf([...secretMethods, 'tls_client_auth'])),
  privateKey: optional(privateKey),
  signAssertion: optional(
    callback<SignAssertion>('a function that signs the given bytes and returns the signature'),
  ),
  keyId: optional(text('the id of the key')),
  keyAlgorithm: optional(text("the key's signing algorithm, such as 'ES256'")),
  clientAssertion: optional(secret<ProvideText>('a client assertion, or a function that returns one')),
  assertionAudience: optional(oneOf(['issuer', 'token_endpoint'])),
}

/**
 * Returns the key that signs assertions, or undefined if no key is configured.
 * @param rsaAlgorithm the algorithm for an RSA key that does not specify an algorithm
 * @throws an error about the option `keyAlgorithm`, if the algorithm is missing or not supported
 */
export function assertionKeyOf(
  given: Pick<CredentialOptions, 'privateKey' | 'signAssertion' | 'keyId' | 'keyAlgorithm'> & {
    readonly certificate?: Provided<string> | undefined
  },
  place: Place,
  rsaAlgorithm: string,
): AssertionKey | undefined {
  const { privateKey: key, signAssertion: sign, keyAlgorithm: algorithm, keyId, certificate } = given
  const name = place.option === '' ? 'keyAlgorithm' : `${place.option}.keyAlgorithm`
  if (sign !== undefined) {
    if (algorithm !== undefined) return { sign, algorithm, keyId, certificate }
    throw place.toError(
      `option \`${name}\` is missing; \`signAssertion\` requires an algorithm, such as 'RS256'`,
    )
  }
  if (key === undefined) return undefined
  if (algorithm !== undefined && !keyAlgorithms.includes(algorithm))
    throw place.toError(
      `option \`${name}\` is ${show(algorithm)}; expected one of ${keyAlgorithms.join(', ')}`,
    )
  return { key, algorithm, rsaAlgorithm, keyId, certificate }
}
