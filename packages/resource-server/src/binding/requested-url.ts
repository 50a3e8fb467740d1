import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'

/** Matches the origin at the start of a request target in absolute form (RFC 9112 §3.2.2). */
const absoluteForm = /^https?:\/\/[\w.~:[\]-]+(?=\/)/i
/**
 * Matches a path with backslashes or dot segments. URL parsers rewrite such a path (RFC 3986 §5.2.4, URL Standard
 * §4.4), but Fastify's router does not.
 */
const rewritten = /\\|\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Returns the URL of a request (RFC 9110 §7.1), for comparison with the claim `htu` of the DPoP proof.
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
        'the request path is ambiguous, so it cannot be compared with the htu claim of the DPoP proof',
      )
}

/**
 * Returns the origin to which a request was sent. If the request's Host header contains a path, the request is refused,
 * because that path would become part of the URL.
 */
function originOf({ protocol, host }: FastifyRequest): string | Refusal {
  return /^[\w.~:[\]-]+$/.test(host)
    ? `${protocol}://${host}`
    : new Refusal('proof', 'the Host header of the request is invalid')
}
