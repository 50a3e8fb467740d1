import { isTrustworthyUrl } from 'declared-options'
import type { IssuerExchange } from './issuer-connection.js'

/** What an issuer says of itself (RFC 8414 §2). */
export type IssuerMetadata = Readonly<Record<string, unknown>>

/**
 * An issuer's own metadata: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3.
 * It has to name the issuer it was asked for (RFC 8414 §3.3), or anybody's could be put in its place.
 * @throws {Error} saying which URL failed, and how
 */
export async function discoverMetadata(
  issuer: string,
  metadataUrl: string | undefined,
  exchange: IssuerExchange,
): Promise<IssuerMetadata> {
  const urls = metadataUrl === undefined ? metadataUrls(issuer) : [metadataUrl]
  const failures: string[] = []
  for (const url of urls) {
    const { status, body } = await exchange.getJson(url)
    if (status === 200) return metadataOf(body, issuer, url)
    failures.push(`${url} answers ${status}`)
    // An issuer that is in trouble tells nothing of whether there is metadata at the next place.
    if (status < 400 || status === 429 || status >= 500) break
  }
  throw new Error(failures.join(', '))
}

function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

function metadataOf(metadata: unknown, issuer: string, url: string): IssuerMetadata {
  if (typeof metadata !== 'object' || metadata === null) throw new Error(`${url} holds no metadata`)
  const { issuer: named } = metadata as IssuerMetadata
  if (named !== issuer)
    throw new Error(
      `${url} is the metadata of the issuer ${JSON.stringify(named)?.slice(0, 200)}, not of ${JSON.stringify(issuer)}`,
    )
  return metadata as IssuerMetadata
}

/**
 * A URL in the metadata that is fit to be asked: what is learnt or sent there is as good as what the operator configured.
 * @throws {Error} when it is missing, or plain http to another machine without leave
 */
export function endpointIn(metadata: IssuerMetadata, name: string, allowInsecureHttp: boolean): string {
  const { [name]: endpoint, issuer } = metadata
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
    throw new Error(`the metadata of ${String(issuer)} has no ${name}`)
  if (!isTrustworthyUrl(endpoint, allowInsecureHttp))
    throw new Error(`the ${name} ${endpoint} is no https URL: anybody on the way could answer`)
  return endpoint
}
