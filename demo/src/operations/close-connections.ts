import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * Lets closing end with the last answer. Node's server waits for two kinds of connections that bring nothing more: ones
 * that clients opened ahead of a request, for a minute, and ones that clients keep after an answer that was still being
 * worked on, until `keepAliveTimeout`.
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
