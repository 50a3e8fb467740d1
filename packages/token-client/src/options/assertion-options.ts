import { secretMethods, type AssertionAudience } from 'oauth-issuer-connection'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

const keys = ['privateKey', 'privateKeyFile', 'signAssertion']
const certificateUsers = [...keys, 'clientSecret', ...secretMethods, 'tls_client_auth']

/** Maps each option to the credentials and authentication methods with which the option has an effect. */
const saysSomethingOf = {
  keyId: keys,
  keyAlgorithm: keys,
  certificate: certificateUsers,
  certificateFile: certificateUsers,
  assertionAudience: [...keys, 'client_secret_jwt'],
  clientAssertionType: ['clientAssertion', 'clientAssertionFile'],
}

/**
 * Throws if an option has no effect with the chosen client authentication.
 * @param proof the option or method that authenticates the client
 */
export function refuseInert(given: Checked, proof: string | undefined): void {
  for (const [name, subjects] of Object.entries(saysSomethingOf)) {
    const value = given[name as keyof typeof saysSomethingOf]
    if (value === undefined || (proof !== undefined && subjects.includes(proof))) continue
    const what = name === 'certificate' ? 'given' : JSON.stringify(value)
    const wanted = subjects.map(subject => `\`${subject}\``).join(' or ')
    throw new InvalidOptionError(
      proof === undefined
        ? `option \`${name}\` is ${what}, but has no effect without ${wanted}; set one of them (is the environment variable set?)`
        : `option \`${name}\` is ${what}, but has no effect with \`${proof}\`, only with ${wanted}; leave it out`,
    )
  }
}

/**
 * Returns the audience of client assertions (RFC 7523 §3). If no issuer is configured, the audience can only be the
 * token endpoint.
 */
export function audienceOf(
  { assertionAudience, issuer }: Checked,
  usual: AssertionAudience,
): AssertionAudience {
  const audience = assertionAudience ?? usual
  if (audience === 'token_endpoint' || issuer !== undefined) return audience
  if (assertionAudience === undefined) return 'token_endpoint'
  throw new InvalidOptionError(
    'option `assertionAudience` is "issuer", but `issuer` is not set; set `issuer` in addition to `tokenEndpoint`, or use \'token_endpoint\'',
  )
}
