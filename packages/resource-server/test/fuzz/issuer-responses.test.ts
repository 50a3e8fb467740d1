import { createServer, type ServerResponse } from 'node:http'
import fastify from 'fastify'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { settle, watchProcess } from 'test-support/faults'
import { hostileBody, type HostileBody } from 'test-support/hostile-body'
import { listen } from 'test-support/listen'
import { Refusal } from '#src/errors.js'
import { parseOptions } from '#src/options/options.js'
import { createCachedVerifier } from '#src/verifier.js'
import { makeKey, signRaw } from '../hand-made-issuer.js'
import { audience } from '../protected-app.js'

/** `FUZZ_RUNS=100000 FUZZ_SEED=7` makes more answers, with another seed. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 250)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101)

const key = makeKey('first')
const now = 1_800_000_000_000
const { log } = fastify()

type Endpoint = 'metadata' | 'jwks' | 'introspection'

/** An issuer of which one endpoint answers as it likes. */
async function startIssuer(t: Test) {
  const issuer = { url: '', hostile: 'metadata' as Endpoint, body: undefined as HostileBody | undefined }
  const valid = (): Readonly<Record<Endpoint, never>> =>
    ({
      metadata: {
        issuer: issuer.url,
        jwks_uri: `${issuer.url}/jwks`,
        introspection_endpoint: `${issuer.url}/introspection`,
        token_endpoint: `${issuer.url}/token`,
        introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      },
      jwks: { keys: [key.jwk, makeKey('second').jwk, makeKey('third', 'EdDSA').jwk] },
      introspection: {
        active: true,
        iss: issuer.url,
        aud: audience,
        sub: 'alice',
        client_id: 'shop',
        scope: 'read',
        exp: now / 1000 + 300,
        token_type: 'Bearer',
        cnf: { jkt: 'thumbprint' },
      },
    }) as never
  const answer = (endpoint: Endpoint, response: ServerResponse): void => {
    if (endpoint === issuer.hostile && issuer.body !== undefined) {
      const { status, headers, bytes } = issuer.body
      response.writeHead(status, headers).end(bytes)
    } else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(valid()[endpoint]))
  }
  const server = createServer(({ url }, response) =>
    answer(url === '/jwks' ? 'jwks' : url === '/introspection' ? 'introspection' : 'metadata', response),
  )
  issuer.url = await listen(t, server)
  return { issuer, valid }
}

const claims = (iss: string) => ({
  iss,
  aud: audience,
  sub: 'shop',
  client_id: 'shop',
  iat: now / 1000,
  exp: now / 1000 + 300,
  jti: 'one',
  scope: 'read',
})

for (const hostile of ['metadata', 'jwks', 'introspection'] as const)
  t.test(`accepts or refuses the token for random responses instead of the ${hostile}`, async t => {
    const fatal = watchProcess(t)
    const { issuer, valid } = await startIssuer(t)
    issuer.hostile = hostile
    const outcomes = new Map<string, number>()
    const settings = parseOptions({
      issuer: issuer.url,
      audience,
      introspection: { clientId: 'api', clientSecret: 'secret' },
      issuerTimeoutMs: 250,
      clock: () => now,
    })
    const token =
      hostile === 'introspection'
        ? 'opaque'
        : signRaw({ alg: 'ES256', typ: 'at+jwt', kid: 'first' }, claims(issuer.url), key)
    let largest = 0
    await fc.assert(
      fc.asyncProperty(hostileBody, async make => {
        issuer.body = make(valid()[hostile])
        const verifier = await createCachedVerifier(settings, log)
        const before = process.memoryUsage().heapUsed
        const outcome = await verifier.verify({ accessToken: token, header: `Bearer ${token}` })
        largest = Math.max(largest, process.memoryUsage().heapUsed - before)
        const { issuers } = verifier.state()
        await verifier.close()
        const name = outcome instanceof Refusal ? outcome.reason : 'accepted'
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
        if (!(outcome instanceof Refusal))
          return (
            outcome.issuer === issuer.url && outcome.audience.includes(audience) && Object.isFrozen(outcome)
          )
        return (outcome.detail ?? '').length < 700 && (issuers[0]?.kids.length ?? 0) <= 100
      }),
      { seed, numRuns },
    )
    t.comment([...outcomes].join(' '))
    t.ok((outcomes.get('accepted') ?? 0) > 0 && outcomes.size > 1, [...outcomes].join(' '))
    t.ok(largest < 50e6, `one answer took ${Math.round(largest / 1e6)} MB`)
    await settle()
    t.strictSame(fatal, [])
  })
