import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Test } from 'tap'
import { listen } from 'test-support/listen'

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
    url: await listen(t, listening, tls === undefined ? 'http://127.0.0.1' : 'https://127.0.0.1'),
    requests: [],
    answer,
  }
  return server
}

/** An error's message, or undefined if there was none. */
export async function messageOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: Error) => error.message,
  )
}
