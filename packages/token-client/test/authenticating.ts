import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'

export const audience = 'https://receipts.example.com'

export async function getToken(t: Test, options: Partial<TokenClientOptions>): Promise<string> {
  const client = createTokenClient({
    baseUrl: audience,
    clientId: 'payment',
    scopes: ['receipts:write'],
    resource: audience,
    ...options,
  } as TokenClientOptions)
  t.teardown(() => client.close())
  return (await client.getToken()).accessToken
}

/** A token endpoint that gives a token to everybody and keeps what it was asked. */
export async function startRecorder(t: Test) {
  const requests: { authorization: string | undefined; body: URLSearchParams }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      requests.push({ authorization: request.headers.authorization, body: new URLSearchParams(body) })
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ access_token: `token-${requests.length}`, token_type: 'Bearer', expires_in: 60 }),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, requests }
}
