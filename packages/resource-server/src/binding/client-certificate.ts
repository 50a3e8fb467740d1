import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'

/**
 * Where the client's certificate comes from (RFC 8705 §3): `'socket'`, the TLS connection that Node terminates; or a
 * function that reads it from where a trusted proxy puts it, as PEM or DER. It must give nothing that a client can set.
 */
export type ClientCertificate =
  | 'socket'
  | ((request: FastifyRequest) => string | Uint8Array | X509Certificate | undefined)

/** The thumbprint of the client's certificate (RFC 8705 §3.1), or undefined when it showed none. */
export type CertificateThumbprint = (request: FastifyRequest) => string | undefined

export function createCertificateThumbprint(source: ClientCertificate): CertificateThumbprint {
  if (source !== 'socket')
    return request => {
      const certificate = source(request)
      return certificate === undefined ? undefined : thumbprint(certificate)
    }
  /** A connection's certificate stays the same. */
  const known = new WeakMap<Socket, string>()
  return ({ raw: { socket } }) => {
    const before = known.get(socket)
    if (before !== undefined) return before
    // A plain connection has no such method; a TLS connection without a client certificate gives undefined.
    const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.()
    if (certificate === undefined) return undefined
    const made = thumbprint(certificate)
    known.set(socket, made)
    return made
  }
}

/** @throws {Error} when it is no certificate */
function thumbprint(certificate: string | Uint8Array | X509Certificate): string {
  const { raw } = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate)
  return createHash('sha256').update(raw).digest('base64url')
}
