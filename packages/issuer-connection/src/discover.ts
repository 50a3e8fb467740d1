import { clip, describeAnswer, headerOf, jsonObjectIn, type IssuerAnswer, type JsonObject } from './answer.js'
import type { IssuerExchange } from './connection.js'
import { IssuerConnectionError } from './errors.js'

/** What an issuer says about itself (RFC 8414 §2): unchecked, except that it names the issuer. */
export type IssuerMetadata = JsonObject & { readonly issuer: string }

/**
 * An issuer's metadata: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3. It has to name the issuer it was requested
 * for (RFC 8414 §3.3); otherwise the metadata of any issuer could take its place.
 * @param metadataUrl the one place to look, instead of the well-known ones
 * @throws {IssuerConnectionError} with each URL, its status, and what was expected
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
      metadata === undefined ? describeAnswer(answer) : `${url} answers 200 with JSON that has no issuer`,
    )
    if (isOutage(answer))
      throw new IssuerConnectionError(failures.join('; '), {
        status,
        retryAfter: headerOf(answer, 'retry-after'),
      })
  }
  throw new IssuerConnectionError(`no metadata found: ${failures.join('; ')}${hint(metadataUrl)}`, { status })
}

/** An outage does not mean that this URL has no metadata, so the next one is not tried. */
function isOutage({ status }: IssuerAnswer): boolean {
  return status === 429 || status >= 500
}

function hint(metadataUrl: string | undefined): string {
  return metadataUrl === undefined
    ? '. If the metadata is elsewhere, set `metadataUrl`; otherwise check `issuer`'
    : '. Check `metadataUrl`'
}

/** RFC 8414 §3.1 inserts the well-known part before the path of an issuer; some servers append it, as OpenID does. */
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
    return `They differ in the trailing slash only: ${advice}`
  return `If this is the server you mean, ${advice}`
}
