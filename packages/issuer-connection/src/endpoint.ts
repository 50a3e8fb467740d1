import { isTrustworthyUrl } from 'declared-options'
import { clip } from './answer.js'
import type { IssuerMetadata } from './discover.js'
import { IssuerConnectionError } from './errors.js'

/**
 * Returns an endpoint URL from the metadata of an issuer. Because credentials are sent to this URL, the URL must
 * satisfy {@link isTrustworthyUrl}, just like a configured URL.
 * @throws {IssuerConnectionError} if the URL is missing or not trustworthy
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
    ? 'expected an absolute http or https URL without a username or password'
    : 'expected an absolute https URL without a username or password (http is accepted only for localhost)'
}

function withoutCredentials(url: string): string {
  return clip(url.replace(/\/\/[^/?#]*@/, '//…@'))
}
