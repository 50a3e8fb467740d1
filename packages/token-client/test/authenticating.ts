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
