import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'

/** Matches the origin of a request target that is an absolute URL (RFC 9112 §3.2.2). */
const absoluteForm = /^https?:\/\/[\w.~:[\]-]+(?=\/)/i
/**
 * Matches backslashes and dot segments in a path. URL parsers replace them (RFC 3986 §5.2.4, URL Standard §4.4), but
 * Fastify's router does not.
 */
const rewritten = /\\|\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Returns the URL of a request (RFC 9110 §7.1), which must match the claim `htu` of the DPoP proof.
 * @param origin the public origin of the API. If undefined, the origin of the request is used
 */
export function requestedUrl(request: FastifyRequest, origin: string | undefined): string | Refusal {
  const from = origin ?? originOf(request)
  if (from instanceof Refusal) return from
  const target = request.originalUrl.replace(absoluteForm, '')
  const [path = ''] = target.split(/[?#]/, 1)
  return path.startsWith('/') && !rewritten.test(path)
    ? from + target
    : new Refusal(
        'proof',
        'the path of the request is ambiguous, so it cannot be compared with the htu of the DPoP proof',
      )
}

/** Returns the origin of a request. Refuses a Host header that contains a path, which would become part of the URL. */
function originOf({ protocol, host }: FastifyRequest): string | Refusal {
  return /^[\w.~:[\]-]+$/.test(host)
    ? `${protocol}://${host}`
    : new Refusal('proof', 'the Host header of the request is not a valid host')
}
