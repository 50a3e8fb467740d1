import { createServer, type ServerResponse } from 'node:http'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createTokenClient, type TokenRejectedError, type TokenUnavailableError } from 'fastify-token-client'
import { settle, watchProcess } from 'test-support/faults'
import { hostileBody, type HostileBody } from 'test-support/hostile-body'
import { listen } from 'test-support/listen'

/** `FUZZ_RUNS=100000 FUZZ_SEED=7` makes more answers, with another seed. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 400)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101)

type Endpoint = 'metadata' | 'token'

/** An authorization server of which one endpoint answers as it likes. */
async function startServer(t: Test) {
  const hostile = { url: '', endpoint: 'token' as Endpoint, body: undefined as HostileBody | undefined }
  const valid = (): Readonly<Record<Endpoint, never>> =>
    ({
      metadata: {
        issuer: hostile.url,
        token_endpoint: `${hostile.url}/token`,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      },
      token: {
        access_token: 'a-token',
        token_type: 'Bearer',
        expires_in: 300,
        scope: 'read write',
        refresh_token: 'unused',
        id_token: 'a.b.c',
      },
    }) as never
  const answer = (endpoint: Endpoint, response: ServerResponse): void => {
    if (endpoint === hostile.endpoint && hostile.body !== undefined) {
      const { status, headers, bytes } = hostile.body
      response.writeHead(status, headers).end(bytes)
    } else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(valid()[endpoint]))
  }
  const server = createServer(({ url }, response) =>
    answer(url === '/token' ? 'token' : 'metadata', response),
  )
  hostile.url = await listen(t, server)
  return { hostile, valid }
}

const messages: Readonly<Record<string, string>> = {
  TOKEN_CLIENT_UNAVAILABLE: 'Could not get an access token',
  TOKEN_CLIENT_REJECTED: 'The authorization server refused the token request',
}

for (const endpoint of ['metadata', 'token'] as const)
  t.test(`any response of the ${endpoint} leads to a token or a typed error`, async t => {
    const fatal = watchProcess(t)
    const { hostile, valid } = await startServer(t)
    hostile.endpoint = endpoint
    const outcomes = new Map<string, number>()
    let largest = 0
    await fc.assert(
      fc.asyncProperty(hostileBody, async make => {
        hostile.body = make(valid()[endpoint])
        const client = createTokenClient({
          baseUrl: 'https://receipts.example.com',
          issuer: hostile.url,
          clientId: 'payment',
          clientSecret: 'the secret of the client',
          issuerTimeoutMs: 250,
        })
        const before = process.memoryUsage().heapUsed
        const outcome = await client
          .getToken()
          .catch((error: TokenRejectedError | TokenUnavailableError) => error)
        largest = Math.max(largest, process.memoryUsage().heapUsed - before)
        await client.close()
        const name = 'code' in outcome ? outcome.code : 'a token'
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
        if ('code' in outcome)
          return (
            outcome.message === messages[outcome.code] &&
            outcome.detail.length < 700 &&
            !outcome.detail.includes('the secret')
          )
        return (
          /^[\x20-\x7E]+$/.test(outcome.accessToken) &&
          Number.isFinite(outcome.expiresAt) &&
          outcome.renewAt <= outcome.useUntil &&
          outcome.useUntil <= outcome.expiresAt
        )
      }),
      { seed, numRuns },
    )
    t.comment([...outcomes].join(' '))
    for (const name of ['a token', 'TOKEN_CLIENT_UNAVAILABLE'])
      t.ok((outcomes.get(name) ?? 0) > 10, [...outcomes].join(' '))
    t.ok(largest < 50e6, `one answer took ${Math.round(largest / 1e6)} MB`)
    await settle()
    t.strictSame(fatal, [])
  })
