import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Handle } from './answer.js'
import { json, maxBodyBytes, type IssuerResponse } from './exchange.js'

/** The issuer's socket. */
export interface Listener {
  readonly port: number
  /** Whether connections are taken; the port is kept either way, so that nobody else gets it. */
  setReachable(reachable: boolean): void
  close(): Promise<void>
}

/** Listens on the loopback interface; `handle` may be set once the port is known. */
export async function listen(port: number, handle: () => Handle): Promise<Listener> {
  let reachable = true
  const server = createServer((message, response) => {
    serve(message, response, handle()).catch(() => message.socket.destroy())
  })
  server.on('connection', socket => {
    if (!reachable) socket.resetAndDestroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    setReachable(value) {
      reachable = value
      if (!value) server.closeAllConnections()
    },
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(message: IncomingMessage, response: ServerResponse, handle: Handle): Promise<void> {
  const body = await readBody(message)
  const { method = 'GET', url = '/', headers } = message
  const answer: IssuerResponse =
    body === undefined
      ? json(413, { error: 'invalid_request', error_description: 'the body is too large' })
      : await handle({ method, path: url.replace(/\?.*/s, ''), headers: firstValues(headers), body })
  response.writeHead(answer.status, answer.headers).end(answer.body)
}

async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= maxBodyBytes) chunks.push(chunk)
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks).toString('utf8')
}

function firstValues(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}
