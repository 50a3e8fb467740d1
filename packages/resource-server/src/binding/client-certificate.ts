import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { messageOf } from 'oauth-issuer-connection'
import { InvalidOptionError, Refusal } from '../errors.js'

/**
 * Where the client's certificate comes from (RFC 8705 §3): `'socket'`, the TLS connection that Node terminates; or a
 * function that reads it from where a trusted proxy puts it, as PEM or DER. The function must not return anything that a
 * client can set. It must return the certificate itself: a request for which it throws or returns a promise is refused.
 */
export type ClientCertificate =
  | 'socket'
  | ((request: FastifyRequest) => string | Uint8Array | X509Certificate | undefined)

/** The thumbprint of the client's certificate (RFC 8705 §3.1); undefined if the client did not show one. */
export type CertificateThumbprint = (request: FastifyRequest) => string | Refusal | undefined

/** @throws {InvalidOptionError} for an async function */
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

/** An HTTP/2 connection that has ended throws. */
function thumbprintOfConnection(): CertificateThumbprint {
  /** A connection's certificate stays the same. */
  const known = new WeakMap<Socket, string>()
  return ({ raw: { socket } }) => {
    const before = known.get(socket)
    if (before !== undefined) return before
    // A plain connection has no such method; a TLS connection without a client certificate gives undefined.
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
        : new X509Certificate(certificate as string | Uint8Array) // throws for everything else
    return createHash('sha256').update(raw).digest('base64url')
  } catch {
    return new Refusal('binding', "the value given as the client's certificate is not a certificate")
  }
}

/** Whether this is a promise. Its rejection has no other handler and would end the process. */
function discardPromise(value: unknown): boolean {
  if (typeof (value as { then?: unknown }).then !== 'function') return false
  Promise.resolve(value).catch(() => {})
  return true
}
