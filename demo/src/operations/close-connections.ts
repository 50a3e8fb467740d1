import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * Ends a closing server after its last response. Without this, Node's server waits up to a minute for connections
 * without a request, and up to `keepAliveTimeout` for connections whose response was still in progress.
 */
export function closeConnections(app: FastifyInstance): void {
  const connections = new Set<Socket>()
  const answers = new Set<ServerResponse>()
  let closing = false
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  app.server.on('request', (_request, response: ServerResponse) => {
    answers.add(response)
    response.once('close', () => {
      answers.delete(response)
      if (closing) app.server.closeIdleConnections()
    })
  })
  app.addHook('preClose', async () => {
    closing = true
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
    for (const response of answers) if (!response.headersSent) response.setHeader('connection', 'close')
  })
}
