import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'

/** A request target can be an absolute URL (RFC 9112 §3.2.2), with the host of the Host header. */
const absoluteForm = /^https?:\/\/[\w.~:[\]-]+(?=\/)/i
/**
 * Matches the parts of a path that URL parsers remove or replace (RFC 3986 §5.2.4, URL Standard §4.4), but Fastify's
 * router does not.
 */
const rewritten = /\\|\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Returns the URL of a request (RFC 9110 §7.1), which the proof must have in `htu`.
 * @param origin the public origin of the API. Undefined: the origin of the request
 */
export function requestedUrl(request: FastifyRequest, origin: string | undefined): string | Refusal {
  const from = origin ?? originOf(request)
  if (from instanceof Refusal) return from
  const target = request.originalUrl.replace(absoluteForm, '')
  const [path = ''] = target.split(/[?#]/, 1)
  return path.startsWith('/') && !rewritten.test(path)
    ? from + target
    : new Refusal('proof', 'the path of the request is ambiguous')
}

/** A Host header with a path would put that path before the path of the request. */
function originOf({ protocol, host }: FastifyRequest): string | Refusal {
  return /^[\w.~:[\]-]+$/.test(host)
    ? `${protocol}://${host}`
    : new Refusal('proof', 'the Host header of the request is not a valid host')
}
