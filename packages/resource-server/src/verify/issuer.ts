import type { IssuerConnection } from './issuer-connection.js'

/**
 * Where an issuer's keys are, from its own metadata: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3.
 * The metadata has to name the issuer it was asked for (RFC 8414 §3.3), or anybody's could be put in its place.
 * @throws {Error} saying which URL failed, and how
 */
export async function discoverJwksUri(
  issuer: string,
  metadataUrl: string | undefined,
  connection: IssuerConnection,
): Promise<string> {
  const urls = metadataUrl === undefined ? metadataUrls(issuer) : [metadataUrl]
  const failures: string[] = []
  for (const url of urls) {
    const { status, body } = await connection.getJson(url)
    if (status === 200) return jwksUriOf(body, issuer, url)
    failures.push(`${url} answers ${status}`)
    // Any other status tells nothing of whether there is metadata at the next place.
    if (status !== 404) break
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

function jwksUriOf(metadata: unknown, issuer: string, url: string): string {
  if (typeof metadata !== 'object' || metadata === null) throw new Error(`${url} holds no metadata`)
  const { issuer: named, jwks_uri: jwksUri } = metadata as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer)
    throw new Error(
      `${url} is the metadata of the issuer ${JSON.stringify(named)?.slice(0, 200)}, not of ${JSON.stringify(issuer)}`,
    )
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) throw new Error(`${url} has no jwks_uri`)
  return jwksUri
}

/** https, or plain http on this machine: keys that anybody on the way could replace verify nothing. */
export function isTrustworthyUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:') return true
  return protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}
