import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listen } from 'test-support/listen'

/** Answers a token request. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void

/** A token endpoint that answers as a test wants, and records its requests. */
export interface HandMadeEndpoint {
  readonly url: string
  readonly requests: {
    readonly headers: IncomingHttpHeaders
    readonly body: string
    readonly parameters: URLSearchParams
  }[]
  behave: Behaviour
}

/** Answers as RFC 6749 §5.1 says, with a new token each time. */
export function tokens(lifetime: unknown = 60): Behaviour {
  let count = 0
  return response => {
    count += 1
    json(response, 200, {
      access_token: `token-${count}`,
      token_type: 'Bearer',
      ...(lifetime === undefined ? {} : { expires_in: lifetime }),
    })
  }
}

export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export async function startTokenEndpoint(t: Test, behave: Behaviour = tokens()): Promise<HandMadeEndpoint> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      endpoint.requests.push({ headers: request.headers, body, parameters: new URLSearchParams(body) })
      endpoint.behave(response, request)
    })
  })
  const endpoint: { url: string; requests: HandMadeEndpoint['requests']; behave: Behaviour } = {
    url: '',
    requests: [],
    behave,
  }
  endpoint.url = `${await listen(t, server)}/token`
  return endpoint
}
