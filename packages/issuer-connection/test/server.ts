import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { generate } from 'selfsigned'

export interface TestServer {
  readonly url: string
  readonly requests: IncomingMessage[]
  answer: (response: ServerResponse, request: IncomingMessage) => void
}

/** A server that records requests and answers as the test says. */
export async function startServer(
  t: Test,
  answer: TestServer['answer'],
  tls?: { readonly key: string; readonly cert: string; readonly ca?: string; readonly requestCert?: boolean },
): Promise<TestServer> {
  const listener: RequestListener = (request, response) => {
    server.requests.push(request)
    server.answer(response, request)
  }
  const listening = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const server: TestServer = {
    url: await listen(t, listening, tls === undefined ? 'http' : 'https'),
    requests: [],
    answer,
  }
  return server
}

export async function listen(t: Test, server: Server, protocol: string): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A certificate for 127.0.0.1 with its key, both PEM. */
export async function makeCertificate(): Promise<{ readonly key: string; readonly cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { key, cert }
}

/** An error's message, or undefined if there was none. */
export async function messageOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: Error) => error.message,
  )
}
