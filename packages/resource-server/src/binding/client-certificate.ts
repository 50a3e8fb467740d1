import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { messageOf } from 'oauth-issuer-connection'
import { InvalidOptionError, Refusal } from '../errors.js'

/**
 * The source of the client's certificate (RFC 8705 §3). If Node.js terminates TLS, set `'socket'` to use the
 * certificate of the TLS connection. Otherwise, set a function that returns the certificate as PEM or DER, for example
 * from a header that a trusted proxy sets. The function must not read a value that the client can set. If the function
 * throws or returns a promise, the request is refused.
 */
export type ClientCertificate =
  | 'socket'
  | ((request: FastifyRequest) => string | Uint8Array | X509Certificate | undefined)

/**
 * Returns the thumbprint of the client's certificate (RFC 8705 §3.1), or undefined if the client presented none.
 */
export type CertificateThumbprint = (request: FastifyRequest) => string | Refusal | undefined

/** @throws {InvalidOptionError} if the source is an async function */
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

/** Reads the client's certificate from the TLS connection. The function throws if an HTTP/2 connection has ended. */
function thumbprintOfConnection(): CertificateThumbprint {
  /** Caches the thumbprint for each connection, because the certificate of a connection does not change. */
  const known = new WeakMap<Socket, string>()
  return ({ raw: { socket } }) => {
    const before = known.get(socket)
    if (before !== undefined) return before
    // The method does not exist without TLS. It returns undefined if the client presented no certificate.
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
        : new X509Certificate(certificate as string | Uint8Array) // throws if the value is not a certificate
    return createHash('sha256').update(raw).digest('base64url')
  } catch {
    return new Refusal(
      'binding',
      'the function clientCertificate returned a value that is not a PEM or DER certificate',
    )
  }
}

/**
 * Returns whether a value is a promise. Handles its rejection, because an unhandled rejection would end the process.
 */
function discardPromise(value: unknown): boolean {
  if (typeof (value as { then?: unknown }).then !== 'function') return false
  Promise.resolve(value).catch(() => {})
  return true
}
