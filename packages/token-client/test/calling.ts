import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'
import { listen } from 'test-support/listen'
import type { HandMadeEndpoint } from './token-endpoint.js'

/** An API that keeps what it was called with. */
export interface HandMadeApi {
  readonly url: string
  readonly seen: { readonly url: string | undefined; readonly authorization: string | undefined }[]
}

export async function startApi(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HandMadeApi> {
  const seen: HandMadeApi['seen'] = []
  const server = createServer((request, response) => {
    seen.push({ url: request.url, authorization: request.headers.authorization })
    answer(request, response)
  })
  return { url: await listen(t, server), seen }
}

/** An API with nothing against anybody. */
export const ok = (_: IncomingMessage, response: ServerResponse): void => void response.end('ok')

/** The secret of every client that is made here. */
export const clientSecret = 'the secret of the client'

/** A client of that API, with tokens of a hand-made endpoint. */
export function clientOf(
  t: Test,
  endpoint: HandMadeEndpoint,
  baseUrl: string,
  more: Partial<TokenClientOptions> = {},
): TokenClient {
  const client = createTokenClient({
    baseUrl,
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    clientSecret,
    ...more,
  })
  t.teardown(() => client.close())
  return client
}
