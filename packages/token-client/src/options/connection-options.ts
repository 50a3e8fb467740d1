import { show } from 'declared-options'
import { reloadIdentity, type TlsSource } from 'oauth-issuer-connection'
import { refuseDotSegments } from '../call/confine-path.js'
import type { ApiBase } from '../call/locate-call.js'
import { InvalidOptionError } from '../errors.js'
import type { Checked } from './options.js'
import { valueOrFile } from './value-or-file.js'

/** The configured token endpoint, or the issuer whose metadata contains the token endpoint. */
export type ServerLocation =
  | { readonly issuer: string; readonly metadataUrl: string | undefined; readonly tokenEndpoint: undefined }
  | { readonly issuer: string | undefined; readonly tokenEndpoint: string }

export function locationOf({ issuer, metadataUrl, tokenEndpoint }: Checked): ServerLocation {
  if (tokenEndpoint === undefined) {
    if (issuer !== undefined) return { issuer, metadataUrl, tokenEndpoint }
    throw new InvalidOptionError(
      "option `issuer` is missing; expected the identifier of the authorization server, such as 'https://login.example.com/tenant'; or set `tokenEndpoint`",
    )
  }
  if (metadataUrl === undefined) return { issuer, tokenEndpoint }
  throw new InvalidOptionError(
    'option `metadataUrl` has no effect with `tokenEndpoint`, because no metadata is fetched; leave one of them out',
  )
}

/**
 * Splits `baseUrl` into origin and path.
 * @throws {InvalidOptionError} if a server could interpret a segment of the path as `..`
 */
export function baseOf(baseUrl: string): ApiBase {
  const { origin, pathname } = new URL(baseUrl)
  try {
    refuseDotSegments(baseUrl.slice(origin.length))
  } catch {
    throw new InvalidOptionError(
      `option \`baseUrl\` is ${show(baseUrl)}; expected a path without \`..\` segments in any encoding`,
    )
  }
  return { origin, path: pathname.replace(/\/$/, '') }
}

/**
 * Returns the TLS settings. Connections present the client certificate if the client authenticates with
 * `tls_client_auth` or with a client secret. With a client secret, the certificate only binds tokens (RFC 8705 §3).
 */
export function tlsOf(given: Checked): TlsSource {
  const { ca, clientSecret, clientAuthentication: method, issuerDispatcher } = given
  refuseBesideDispatchers(['ca'], given)
  const trusted = ca === undefined ? {} : { ca }
  const certificate = valueOrFile(given, 'certificate')
  const privateKey = valueOrFile(given, 'privateKey')
  const bindsToken = clientSecret !== undefined && certificate !== undefined
  if (method !== 'tls_client_auth' && !bindsToken) return trusted
  const hasNeither = certificate === undefined && privateKey === undefined
  if (issuerDispatcher !== undefined && hasNeither) return trusted
  refuseBesideDispatchers(['certificate', 'certificateFile', 'privateKey', 'privateKeyFile'], given)
  if (typeof certificate === 'string' && typeof privateKey === 'string')
    return { ...trusted, cert: certificate, key: privateKey }
  if (!isPemOrFunction(certificate) || !isPemOrFunction(privateKey))
    throw new InvalidOptionError(
      `${bindsToken ? 'a client secret with a `certificate`' : '`tls_client_auth`'} requires \`certificate\` and \`privateKey\` as PEM text, functions or files, or an \`issuerDispatcher\` with a certificate of its own`,
    )
  if (given.tokenStore !== undefined)
    throw new InvalidOptionError(
      'option `tokenStore` cannot be combined with a certificate or key from a function or file, because tokens are bound to the certificate of one process; leave one of them out',
    )
  return reloadIdentity({ ...trusted, certificate, privateKey })
}

/**
 * Throws if TLS options are combined with `dispatcher` and `issuerDispatcher`, because both dispatchers have their own
 * TLS settings.
 */
function refuseBesideDispatchers(names: readonly (keyof Checked)[], given: Checked): void {
  const name = names.find(candidate => given[candidate] !== undefined)
  if (name === undefined || given.dispatcher === undefined || given.issuerDispatcher === undefined) return
  throw new InvalidOptionError(
    `option \`${name}\` has no effect with a \`dispatcher\` and an \`issuerDispatcher\`; set it in these dispatchers instead`,
  )
}

function isPemOrFunction<T>(value: T): value is Extract<T, string | ((...given: never[]) => unknown)> {
  return typeof value === 'string' || typeof value === 'function'
}
