import type { Test } from 'tap'
import type { TokenClient, TokenClientOptions } from 'fastify-token-client'
import { parseOptions } from '#src/options/settings.js'
import { buildTokenClient } from '#src/token-client.js'
import type { HandMadeEndpoint } from './token-endpoint.js'

export const start = 1_700_000_000_000
/** The secret of every client that is made here. */
export const secret = 'the secret of the client'

/** A client whose clock stands still until it is moved, without jitter unless `random` says otherwise. */
export function clientOf(
  t: Test,
  { url }: Pick<HandMadeEndpoint, 'url'>,
  { random = () => 0, ...more }: Partial<TokenClientOptions> & { random?: () => number } = {},
): { client: TokenClient; clock: { now: number } } {
  const clock = { now: start }
  const options = {
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: url,
    clientId: 'payment',
    clientSecret: secret,
    clock: () => clock.now,
    ...more,
  }
  // `undefined` leaves the secret out, where a test proves itself in another way.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { client } = buildTokenClient({ ...parseOptions(given as typeof options, 'client'), random })
  t.teardown(() => client.close())
  return { client, clock }
}

/** What a client says that has no token. */
export const failureOf = (client: TokenClient): Promise<Error & { code?: string; detail?: string }> =>
  client.getToken().then(
    () => new Error('there is a token'),
    (error: Error) => error,
  )
