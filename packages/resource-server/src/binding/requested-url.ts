import type { FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'

/** A target may be a whole URL (RFC 9112 §3.2.2), whose host is that of the Host header. */
const absoluteForm = /^https?:\/\/[\w.~:[\]-]+(?=\/)/i
/** What a parser of URLs takes away or turns around (RFC 3986 §5.2.4, URL Standard §4.4), and the router does not. */
const rewritten = /\\|\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * The URL that a client asked for (RFC 9110 §7.1), as its proof has to name it.
 * @param origin what the API is called by its clients; undefined: as the request says
 */
export function requestedUrl(request: FastifyRequest, origin: string | undefined): string | Refusal {
  const from = origin ?? originOf(request)
  if (from instanceof Refusal) return from
  const target = request.originalUrl.replace(absoluteForm, '')
  const [path = ''] = target.split(/[?#]/, 1)
  return path.startsWith('/') && !rewritten.test(path)
    ? from + target
    : new Refusal('proof', 'the request target is not an unambiguous path')
}

/** A Host that held more than host and port, a path say, would put it before the path of the request. */
function originOf({ protocol, host }: FastifyRequest): string | Refusal {
  return /^[\w.~:[\]-]+$/.test(host)
    ? `${protocol}://${host}`
    : new Refusal('proof', 'the Host header of the request is not a valid host')
}
