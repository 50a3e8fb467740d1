import { X509Certificate } from 'node:crypto'
import type { ApiBase } from '../call/locate-call.js'
import { InvalidOptionError } from '../errors.js'
import { boolean, checkPem, missing, text, url, wrong, type Given } from './read-option.js'

/** What connections are opened with, as `node:tls` has it. */
export interface TlsSettings {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Where the authorization server is; one of the two is there. */
export interface ServerSettings {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly allowInsecureHttp: boolean
}

export function parseServer(given: Given): ServerSettings {
  const allowInsecureHttp = boolean(given, 'allowInsecureHttp')
  const issuer = url(given, 'issuer', allowInsecureHttp)
  const tokenEndpoint = url(given, 'tokenEndpoint', allowInsecureHttp)
  if (issuer === undefined && tokenEndpoint === undefined)
    missing(
      'issuer',
      "the authorization server's identifier, such as 'https://login.example.com/tenant', or tokenEndpoint",
    )
  return { issuer, tokenEndpoint, allowInsecureHttp }
}

export function parseBase(given: Given): ApiBase {
  const base = new URL(
    url(given, 'baseUrl', boolean(given, 'allowInsecureHttp')) ??
      missing('baseUrl', "the API that is called, such as 'https://receipts.example.com'"),
  )
  if (base.search !== '' || base.hash !== '')
    throw wrong('baseUrl', given['baseUrl'], 'no query and no fragment')
  return { origin: base.origin, path: base.pathname.replace(/\/$/, '') }
}

/** Mutual TLS shows the certificate; its key is needed as it is, since connections are opened with it. */
export function parseTls(given: Given): TlsSettings {
  const ca = text(given, 'ca')
  if (ca !== undefined && given['dispatcher'] !== undefined && given['issuerDispatcher'] !== undefined)
    throw new InvalidOptionError(
      'option `ca` does nothing with a `dispatcher` and a `issuerDispatcher` of your own; give it to them',
    )
  if (ca !== undefined) checkPem('ca', ca, pem => new X509Certificate(pem), 'certificate in PEM')
  const trusted = ca === undefined ? {} : { ca }
  const { clientAuthentication: method, certificate, privateKey, issuerDispatcher } = given
  if (method !== 'tls_client_auth') return trusted
  if (issuerDispatcher !== undefined && certificate === undefined) return trusted
  if (typeof certificate !== 'string' || typeof privateKey !== 'string')
    throw new InvalidOptionError(
      `\`${method}\` wants \`certificate\` and \`privateKey\` as PEM text, or a \`issuerDispatcher\` that has them`,
    )
  return { ...trusted, cert: certificate, key: privateKey }
}
