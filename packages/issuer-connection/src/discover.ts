import { clip, describeAnswer, headerOf, jsonObjectIn, type IssuerAnswer, type JsonObject } from './answer.js'
import type { IssuerExchange } from './connection.js'
import { IssuerConnectionError } from './errors.js'

/** The metadata of an issuer (RFC 8414 §2). Only the member `issuer` has been validated. */
export type IssuerMetadata = JsonObject & { readonly issuer: string }

/**
 * Fetches the metadata of an issuer from the well-known URLs (OpenID Connect Discovery 1.0 §4, RFC 8414 §3). Rejects
 * metadata that names a different issuer, because one issuer could otherwise impersonate another (RFC 8414 §3.3).
 * @param metadataUrl replaces the well-known URLs if it is set
 * @throws {IssuerConnectionError} if no URL returns the metadata of this issuer. The message lists each URL and its
 * response
 */
export async function discoverMetadata(
  issuer: string,
  metadataUrl: string | undefined,
  exchange: Pick<IssuerExchange, 'request'>,
): Promise<IssuerMetadata> {
  const urls = metadataUrl === undefined ? metadataUrls(issuer) : [metadataUrl]
  const failures: string[] = []
  let status: number | undefined
  for (const url of urls) {
    const answer = await exchange.request(url)
    const metadata = answer.status === 200 ? jsonObjectIn(answer) : undefined
    if (metadata !== undefined && typeof metadata['issuer'] === 'string')
      return namingIssuer(metadata as IssuerMetadata, issuer, url)
    ;({ status } = answer)
    failures.push(
      metadata === undefined ? describeAnswer(answer) : `${url} responded with JSON that has no issuer`,
    )
    if (isOutage(answer))
      throw new IssuerConnectionError(failures.join('; '), {
        status,
        retryAfter: headerOf(answer, 'retry-after'),
      })
  }
  throw new IssuerConnectionError(`no metadata found: ${failures.join('; ')}${hint(metadataUrl)}`, { status })
}

/**
 * Returns true if the response indicates an outage. In this case, the other well-known URLs are not tried, because the
 * URL that failed may be the correct one.
 */
function isOutage({ status }: IssuerAnswer): boolean {
  return status === 429 || status >= 500
}

function hint(metadataUrl: string | undefined): string {
  return metadataUrl === undefined
    ? '. If the metadata is elsewhere, set `metadataUrl`; otherwise check `issuer`'
    : '. Check `metadataUrl`'
}

/**
 * Returns the well-known metadata URLs of an issuer. RFC 8414 §3.1 inserts `/.well-known/…` before the issuer's path,
 * while OpenID Connect Discovery and some servers append it to the path.
 */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    ...new Set([
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}${path}/.well-known/oauth-authorization-server`,
    ]),
  ]
}

function namingIssuer(metadata: IssuerMetadata, issuer: string, url: string): IssuerMetadata {
  const { issuer: named } = metadata
  if (named === issuer) return metadata
  const values = `${url} names the issuer ${JSON.stringify(clip(named))}, but \`issuer\` is ${JSON.stringify(issuer)}`
  throw new IssuerConnectionError(`${values}. ${adviceOn(named, issuer)}`, {
    status: 200,
    problem: 'issuer mismatch',
  })
}

function adviceOn(named: string, issuer: string): string {
  const advice = `set \`issuer\` to ${JSON.stringify(clip(named))}`
  if (named.replace(/\/$/, '') === issuer.replace(/\/$/, ''))
    return `The two issuers differ only in the trailing slash: ${advice}`
  return `If this is the intended server, ${advice}`
}
