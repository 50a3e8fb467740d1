import { isTrustworthyUrl } from 'declared-options'
import { clip } from './answer.js'
import type { IssuerMetadata } from './discover.js'
import { IssuerConnectionError } from './errors.js'

/**
 * Reads a URL from an issuer's metadata. It receives the same secrets and the same trust as a URL that the operator
 * configured, so the same rule applies: {@link isTrustworthyUrl}.
 * @throws {IssuerConnectionError} when it is missing or not trustworthy
 */
export function endpointIn(metadata: IssuerMetadata, name: string, allowInsecureHttp: boolean): string {
  const { [name]: endpoint, issuer } = metadata
  const where = `the metadata of ${issuer}`
  if (typeof endpoint !== 'string' || endpoint === '')
    throw new IssuerConnectionError(`${where} has no ${name}`)
  if (isTrustworthyUrl(endpoint, allowInsecureHttp)) return endpoint
  throw new IssuerConnectionError(
    `${where} has the ${name} ${withoutCredentials(endpoint)}, ${wanted(allowInsecureHttp)}`,
  )
}

function wanted(allowInsecureHttp: boolean): string {
  return allowInsecureHttp
    ? 'expected an absolute http or https URL without user name and password'
    : 'expected an absolute https URL without user name and password (or http on this machine)'
}

function withoutCredentials(url: string): string {
  return clip(url.replace(/\/\/[^/?#]*@/, '//…@'))
}
