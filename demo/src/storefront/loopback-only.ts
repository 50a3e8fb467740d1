import type { FastifyReply, FastifyRequest } from 'fastify'

const ownAddress = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/
const ownName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/

/**
 * Hides routes that show or change internals from other machines. The `Host` header must name this machine too;
 * otherwise another site could reach the routes by DNS rebinding.
 */
export async function loopbackOnly(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  return isFromThisMachine(request) ? undefined : (reply.callNotFound() as FastifyReply | undefined)
}

export function isFromThisMachine({ ip, raw: { socket }, headers }: FastifyRequest): boolean {
  // Checks the address of the connection too, because a proxy's `X-Forwarded-For` is not sufficient.
  return (
    ownAddress.test(ip) && ownAddress.test(socket.remoteAddress ?? '') && ownName.test(headers.host ?? '')
  )
}
