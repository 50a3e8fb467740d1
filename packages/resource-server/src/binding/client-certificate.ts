import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { messageOf } from 'oauth-issuer-connection'
import { InvalidOptionError, Refusal } from '../errors.js'

/**
 * The source of the client's certificate (RFC 8705 §3). Use `'socket'` if Node.js terminates TLS. Otherwise, pass a
 * function that returns the certificate as PEM or DER, for example from a header set by a trusted proxy. The function
 * must not use a value that the client can set. If the function throws or returns a promise, the request is refused.
 */
export type ClientCertificate =
  | 'socket'
  | ((request: FastifyRequest) => string | Uint8Array | X509Certificate | undefined)

/**
 * Returns the thumbprint of the client's certificate (RFC 8705 §3.1), or undefined if the client presented no
 * certificate.
 */
export type CertificateThumbprint = (request: FastifyRequest) => string | Refusal | undefined

/** @throws {InvalidOptionError} if `source` is an async function */
export function createCertificateThumbprint(source: ClientCertificate): CertificateThumbprint {
  if (Object.prototype.toString.call(source) === '[object AsyncFunction]')
    throw new InvalidOptionError(
      'option `clientCertificate` is an async function; it must return the certificate itself, not a promise',
    )
  const read: CertificateThumbprint =
    source === 'socket' ? thumbprintOfConnection() : request => thumbprint(source(request))
  return request => {
    try {
      return read(request)
    } catch (error) {
      return new Refusal('binding', `clientCertificate threw: ${messageOf(error)}`)
    }
  }
}

/**
 * Returns a function that reads the client's certificate from the TLS connection. The function throws if the request's
 * HTTP/2 connection has ended.
 */
function thumbprintOfConnection(): CertificateThumbprint {
  /** Caches one thumbprint per connection, because the client certificate of a connection does not change. */
  const known = new WeakMap<Socket, string>()
  return ({ raw: { socket } }) => {
    const before = known.get(socket)
    if (before !== undefined) return before
    // `getPeerX509Certificate` exists only on TLS sockets, and returns undefined if the client presented no certificate.
    const made = thumbprint((socket as Partial<TLSSocket>).getPeerX509Certificate?.())
    if (typeof made === 'string') known.set(socket, made)
    return made
  }
}

function thumbprint(certificate: unknown): string | Refusal | undefined {
  if (certificate === undefined || certificate === null) return undefined
  try {
    if (discardPromise(certificate))
      return new Refusal(
        'binding',
        'the function clientCertificate returned a promise; it must return the certificate itself',
      )
    const { raw } =
      certificate instanceof X509Certificate
        ? certificate
        : new X509Certificate(certificate as string | Uint8Array)
    return createHash('sha256').update(raw).digest('base64url')
  } catch {
    return new Refusal(
      'binding',
      'the function clientCertificate returned a value that is not a PEM or DER certificate',
    )
  }
}

/**
 * Returns whether a value is a promise. If it is, its rejection is caught and ignored, because an unhandled rejection
 * would end the process.
 */
function discardPromise(value: unknown): boolean {
  if (typeof (value as { then?: unknown }).then !== 'function') return false
  Promise.resolve(value).catch(() => {})
  return true
}
