import type { Test } from 'tap'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'
import type { HandMadeEndpoint } from './token-endpoint.js'

export const start = 1_700_000_000_000
/** The secret of every client that is made here. */
export const secret = 'the secret of the client'

/** A client whose clock stands still until it is moved, and that has no luck: `random` is 0. */
export function clientOf(
  t: Test,
  { url }: Pick<HandMadeEndpoint, 'url'>,
  more: Partial<TokenClientOptions> = {},
): { client: TokenClient; clock: { now: number } } {
  const clock = { now: start }
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: url,
    clientId: 'payment',
    clientSecret: secret,
    clock: () => clock.now,
    random: () => 0,
    ...more,
  })
  t.teardown(() => client.close())
  return { client, clock }
}

/** What a client says that has no token. */
export const failureOf = (client: TokenClient): Promise<Error & { code?: string }> =>
  client.getToken().then(
    () => new Error('there is a token'),
    (error: Error) => error,
  )
