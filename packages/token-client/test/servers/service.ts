import { randomUUID } from 'node:crypto'
import fastify from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import type { Test } from 'tap'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'

export const audience = 'https://receipts.example.com'
export const scope = 'receipts:write'

/** A client at the server under test. A UUID has hyphens, which some clients escape and many servers do not decode. */
export const clientId: string = randomUUID()
export const clientSecret = 'only-for-this-run'

/** An API with one protected route, `/receipts`. */
export interface Api {
  readonly url: string
  /** Reason and detail of each refusal, from the log. */
  readonly refusals: string[]
  readonly clock: Clock
}

/** The machine's clock, which a test can advance by milliseconds. */
export interface Clock {
  ahead: number
  now(): number
}

export const createClock = (): Clock => ({
  ahead: 0,
  now() {
    return Date.now() + this.ahead
  },
})

/** Protects an API with the tokens of an issuer. */
export async function startApi(t: Test, options: Partial<ResourceServerOptions>): Promise<Api> {
  const refusals: string[] = []
  const write = (line: string): void => {
    const { msg, reason, detail } = JSON.parse(line) as Record<'msg' | 'reason' | 'detail', string>
    if (msg === 'access refused') refusals.push(`${reason}: ${detail}`)
  }
  const clock = createClock()
  const app = fastify({ logger: { level: 'info', stream: { write } } })
  t.teardown(() => app.close())
  await app.register(resourceServer, { audience, scopes: [scope], clock: () => clock.now(), ...options })
  app.get('/receipts', { config: { oauth: { scopes: [scope] } } }, ({ auth }) => ({ client: auth.clientId }))
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), refusals, clock }
}

/** A client of that API. */
export function startClient(
  t: Test,
  baseUrl: string,
  options: Partial<TokenClientOptions>,
): { client: TokenClient; clock: Clock; get: () => Promise<number> } {
  const clock = createClock()
  const client = createTokenClient({
    baseUrl,
    clientId,
    scopes: [scope],
    clock: () => clock.now(),
    ...options,
  })
  t.teardown(() => client.close())
  const get = async (): Promise<number> => {
    const { statusCode, body } = await client.request({ path: '/receipts' })
    await body.dump()
    return statusCode
  }
  return { client, clock, get }
}
