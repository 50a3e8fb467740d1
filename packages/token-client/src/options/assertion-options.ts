import { secretMethods, type AssertionAudience } from 'oauth-issuer-connection'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'

const keys = ['privateKey', 'privateKeyFile', 'signAssertion']
const certificateUsers = [...keys, 'clientSecret', ...secretMethods, 'tls_client_auth']

/** Option → what it says something of: an option, or a method. With anything else it does nothing. */
const saysSomethingOf = {
  keyId: keys,
  keyAlgorithm: keys,
  certificate: certificateUsers,
  certificateFile: certificateUsers,
  assertionAudience: [...keys, 'client_secret_jwt'],
  clientAssertionType: ['clientAssertion', 'clientAssertionFile'],
}

/**
 * Nobody would notice what an option does not do.
 * @param proof what proves who the client is
 */
export function refuseInert(given: Checked, proof: string | undefined): void {
  for (const [name, subjects] of Object.entries(saysSomethingOf)) {
    const value = given[name as keyof typeof saysSomethingOf]
    if (value === undefined || (proof !== undefined && subjects.includes(proof))) continue
    const what = name === 'certificate' ? 'given' : JSON.stringify(value)
    const wanted = subjects.map(subject => `\`${subject}\``).join(' or ')
    throw new InvalidOptionError(
      proof === undefined
        ? `option \`${name}\` is ${what}, and does nothing without ${wanted}; give one (is the environment variable set?)`
        : `option \`${name}\` is ${what}, and does nothing with \`${proof}\`, only with ${wanted}; leave it out`,
    )
  }
}

/** Whom assertions are for (RFC 7523 §3). Where no issuer is known, only the token endpoint can be named. */
export function audienceOf(
  { assertionAudience, issuer }: Checked,
  usual: AssertionAudience,
): AssertionAudience {
  const audience = assertionAudience ?? usual
  if (audience === 'token_endpoint' || issuer !== undefined) return audience
  if (assertionAudience === undefined) return 'token_endpoint'
  throw new InvalidOptionError(
    'option `assertionAudience` is "issuer", and no `issuer` is given: give `issuer` beside `tokenEndpoint`, or \'token_endpoint\'',
  )
}
