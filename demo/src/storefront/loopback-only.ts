import type { FastifyReply, FastifyRequest } from 'fastify'

const ownAddress = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/
const ownName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/

/**
 * For pages that show or change what goes on inside: they exist for this machine only. The name in `Host` has to be
 * this machine's too, or a stranger's page could reach them through a name that he points here (DNS rebinding).
 */
export async function loopbackOnly(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  return isFromThisMachine(request) ? undefined : (reply.callNotFound() as FastifyReply | undefined)
}

export function isFromThisMachine({ ip, raw: { socket }, headers }: FastifyRequest): boolean {
  // The connection's own address too: what a proxy says of a client must not be enough.
  return (
    ownAddress.test(ip) && ownAddress.test(socket.remoteAddress ?? '') && ownName.test(headers.host ?? '')
  )
}
