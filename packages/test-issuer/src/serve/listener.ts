import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Handle } from './answer.js'
import { maxBodyBytes } from './exchange.js'

/**
 * The socket of the issuer. The socket does not keep the process alive, so a test run still ends if a failed test never closes
 * its issuer.
 */
export interface Listener {
  readonly port: number
  /**
   * If true, the listener accepts connections. If false, it closes existing connections and every new connection, but
   * keeps the port.
   */
  setReachable(reachable: boolean): void
  close(): Promise<void>
}

/** Listens on 127.0.0.1. @throws {Error} if the port is in use */
export async function listen(port: number, handle: Handle): Promise<Listener> {
  let reachable = true
  const server = createServer((message, response) => {
    serve(message, response, handle).catch(() => message.socket.destroy())
  })
  server.on('connection', socket => {
    socket.unref()
    if (!reachable) socket.resetAndDestroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  server.unref()
  return {
    // The cast is safe because address() returns a string only for pipes.
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
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const body = await readBody(message)
  const { method = 'GET', url = '/', headersDistinct } = message
  const path = url.replace(/\?.*/s, '')
  const answer = await handle({ method, path, headers: joined(headersDistinct), body, signal: gone.signal })
  response.writeHead(answer.status, answer.headers).end(answer.body)
}

/** Reads a request body to its end, but discards the rest once the maximum size has been exceeded. */
async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    if (size <= maxBodyBytes) chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Joins repeated headers with commas (RFC 9110 §5.3). Node's `message.headers` is not used, because it discards every
 * Authorization header except the first.
 */
function joined(headers: IncomingMessage['headersDistinct']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values?.join(', ')]))
}
