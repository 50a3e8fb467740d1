import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import resourceServer from 'fastify-resource-server'
import { settle, watchProcess } from 'test-support/faults'
import { base64url, makeKey, signRaw } from '../hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey } from '../hand-made-proof.js'
import { active, startOpaque, type OpaqueIssuer } from '../opaque-issuer.js'
import { audience } from '../protected-app.js'

/** `FUZZ_RUNS=100000 FUZZ_SEED=7` sends more requests, with another seed. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 600)
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101)

const key = makeKey('first')
const client = makeProofKey()
const origin = 'https://api.example.com'
const maxCachedTokens = 50
const channels = ['allow', 'deny', 'keys', 'keys-failed', 'signature-disputed'].map(
  name => `fastify-resource-server:${name}`,
)

interface Target {
  readonly app: FastifyInstance
  readonly port: number
  readonly issuer: OpaqueIssuer
  /** What handlers of protected routes found wrong with `request.auth`. */
  readonly broken: string[]
  readonly events: { count: number }
}

/** An application as applications are: with other plugins, hooks and subscribers. */
async function startTarget(t: Test, options: { introspection: boolean; problemDetails: boolean }) {
  const issuer = await startOpaque(t)
  issuer.clock.now = Date.now()
  fillAnswers(issuer)
  const events = { count: 0 }
  const listen = (message: unknown): void => {
    events.count += Object.keys(message as object).length > 0 ? 1 : 0
  }
  for (const channel of channels) subscribe(channel, listen)
  t.teardown(() => channels.forEach(channel => unsubscribe(channel, listen)))
  const app = fastify({ logger: { level: 'info', stream: { write() {} } } })
  t.teardown(() => app.close())
  await app.register(swagger, {
    openapi: { components: { securitySchemes: { oauth2: { type: 'http', scheme: 'bearer' } } } },
  })
  await app.register(rateLimit, { global: false })
  app.addHook('onRequest', app.rateLimit({ max: 1e9, timeWindow: 60_000 }))
  await app.register(resourceServer, {
    issuer: issuer.url,
    audience,
    scopes: ['read', 'write'],
    dpop: { mode: 'allow', origin },
    ...(options.introspection ? { introspection: { clientId: 'api', clientSecret: 'secret' } } : {}),
    keys: [key.jwk],
    problemDetails: options.problemDetails,
    resourceMetadata: { resource: origin },
    securityScheme: 'oauth2',
    realm: 'receipts',
    maxCachedTokens,
  })
  app.addHook('onSend', async (_request, _reply, payload) => payload)
  app.addHook('preHandler', async () => {})
  const broken: string[] = []
  const handler = async ({ auth, url }: { auth: unknown; url: string }) => {
    const token = auth as { issuer: string; audience: readonly string[]; expiresAt: number } | null
    const isRight =
      token?.issuer === issuer.url &&
      token.audience.includes(audience) &&
      token.expiresAt > Date.now() - 10_000 &&
      Object.isFrozen(token)
    if (!isRight) broken.push(`${url} was served with ${JSON.stringify(auth)}`)
    return 'in'
  }
  app.route({
    method: ['GET', 'POST', 'OPTIONS'],
    url: '/read',
    config: { oauth: { scopes: ['read'] } },
    handler,
  })
  app.get('/any', handler)
  app.get('/files/*', { config: { oauth: { dpop: 'require' } } }, handler)
  app.get(
    '/optional',
    { config: { oauth: { optional: true } } },
    async ({ auth }) => auth?.subject ?? 'nobody',
  )
  app.get('/public', { config: { oauth: false } }, async () => 'public')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, issuer, broken, events, port: (app.server.address() as AddressInfo).port } satisfies Target
}

function fillAnswers(issuer: OpaqueIssuer): void {
  const answers: Readonly<Record<string, object>> = {
    good: active(issuer),
    bound: active(issuer, { cnf: { jkt: client.thumbprint } }),
    other: active(issuer, { aud: 'https://other.example.com' }),
    old: active(issuer, { exp: 1 }),
    odd: active(issuer, { aud: 7, scope: ['read'], sub: null }),
    refresh: active(issuer, { token_use: 'refresh_token' }),
  }
  for (const [token, answer] of Object.entries(answers)) issuer.answers.set(token, answer)
}

const seconds = (): number => Math.floor(Date.now() / 1000)

function claimsOf({ url }: OpaqueIssuer, changes: object = {}): object {
  const iat = seconds()
  const names = { iss: url, aud: audience, sub: 'shop', client_id: 'shop', jti: 'one', scope: 'read' }
  return { ...names, iat, exp: iat + 300, ...changes }
}

const header = { alg: 'ES256', typ: 'at+jwt', kid: 'first' }
type Make = (issuer: OpaqueIssuer) => string
const same =
  (text: string): Make =>
  () =>
    text

const anyValue = fc.oneof(
  fc.constantFrom<unknown>(null, 0, -1, 1e20, '', [], {}, 'shop', 'at+jwt', 'none', 'HS256', [''], true),
  fc.jsonValue({ maxDepth: 2 }),
)
const changes = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      'iss',
      'aud',
      'exp',
      'iat',
      'nbf',
      'sub',
      'client_id',
      'jti',
      'scope',
      'cnf',
      '__proto__',
    ),
    fc.string({ maxLength: 5 }),
  ),
  anyValue,
  { maxKeys: 3 },
)
const headerChanges = fc.dictionary(
  fc.constantFrom('alg', 'typ', 'kid', 'crit', 'jwk', 'jku', 'x5c', 'b64', 'cty', '__proto__'),
  anyValue,
  { maxKeys: 3 },
)
/** Latin-1 without line breaks: what can be in a header. */
const headerText = fc
  .string({ unit: 'binary', maxLength: 60 })
  .map(text => text.replaceAll(/[^\t\x20-\x7E\xA0-\xFF]/g, ''))

const token: fc.Arbitrary<Make> = fc.oneof(
  fc.constantFrom<Make>(
    issuer => signRaw(header, claimsOf(issuer), key),
    issuer => signRaw(header, claimsOf(issuer, { cnf: { jkt: client.thumbprint } }), key),
    issuer => signRaw(header, claimsOf(issuer, { aud: 'other', exp: 1e20 }), key),
    ...['good', 'bound', 'other', 'old', 'odd', 'refresh', 'unknown', 'a.b.c', 'bnVsbA.bnVsbA.x'].map(same),
    same('%:'),
    same('x'.repeat(12_000)),
    same(`${base64url('{'.repeat(3_000))}.${base64url('['.repeat(3_000))}.AAAA`),
  ),
  changes.map(changed => (issuer: OpaqueIssuer) => signRaw(header, claimsOf(issuer, changed), key)),
  headerChanges.map(
    changed => (issuer: OpaqueIssuer) => signRaw({ ...header, ...changed }, claimsOf(issuer), key),
  ),
  fc.tuple(anyValue, anyValue).map(([first, second]) => same(signRaw(first, second, key))),
  fc.tuple(fc.nat(), fc.base64String({ maxLength: 4 })).map(([at, insert]) => (issuer: OpaqueIssuer) => {
    const good = signRaw(header, claimsOf(issuer), key)
    const index = at % good.length
    return good.slice(0, index) + insert + good.slice(index + 1)
  }),
  headerText.map(same),
)

const boundToken: Make = issuer => signRaw(header, claimsOf(issuer, { cnf: { jkt: client.thumbprint } }), key)

const authorization: fc.Arbitrary<Make> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Make>(issuer => `DPoP ${boundToken(issuer)}`) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'Bearer',
          'Bearer',
          'DPoP',
          'DPoP',
          'bearer',
          'dPOP',
          'Basic',
          'Digest',
          '',
          'Bearer,',
        ),
        fc.constantFrom(' ', ' ', ' ', '  ', '\t', '', ' ,', '='),
        token,
        fc.constantFrom('', '', '', '', ' ', ',', ', Bearer x', '=', '=='),
      )
      .map(
        ([scheme, space, make, end]) =>
          (issuer: OpaqueIssuer) =>
            `${scheme}${space}${make(issuer)}${end}`,
      ),
  },
  { weight: 1, arbitrary: headerText.map(same) },
)

let made = 0
const proof: fc.Arbitrary<Make> = fc.oneof(
  changes.map(changed => (issuer: OpaqueIssuer) => {
    made += 1
    const bound = signRaw(header, claimsOf(issuer, { cnf: { jkt: client.thumbprint } }), key)
    const claims = { htm: 'GET', htu: `${origin}/read`, iat: seconds(), jti: `${made}`, ath: hashOf(bound) }
    return makeProof(client, { ...claims, ...changed })
  }),
  headerChanges.map(changed => () => makeProof(client, { htm: 'GET' }, changed)),
  fc.constantFrom(same(''), same('x.y.z'), same('x'.repeat(2_000)), same('bnVsbA.bnVsbA.bnVsbA')),
  headerText.map(same),
)

const target = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('/read', '/read', '/read', '/any', '/optional', '/public', '/files/a'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/files/%2e%2e/a',
      '/files/%zz',
      '/none',
      '/read/',
      '//read',
      '/READ',
      '/read?a=%zz',
      '/read?a[]=1#b',
      '/%E0%A4%A',
      '/%00',
      '*',
      'http://elsewhere.example/read',
      'http://[::1',
      '/read/../public',
      '/\\read',
      '/.well-known/oauth-protected-resource',
      '/read;x=1',
      '?',
      `/${'a'.repeat(3_000)}`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 20 }).map(text => `/${text.replaceAll(/[^\x21-\x7E]/g, '')}`),
  },
)
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constant('GET') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'CONNECT'),
  },
)
const others = fc.subarray(
  [
    'Origin: https://shop.example',
    'Access-Control-Request-Method: GET',
    'X-Forwarded-Host: elsewhere.example',
    'X-Forwarded-Proto: é',
    'Content-Type: application/json',
    'Expect: 100-continue',
    'Connection: upgrade\r\nUpgrade: websocket',
  ],
  { maxLength: 2 },
)

const request = fc.record({
  method,
  target,
  host: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('api.example.com', 'api.example.com:8080', '[::1]:80') },
    { weight: 1, arbitrary: fc.constantFrom('a/../b', '', 'é') },
  ),
  authorizations: fc.oneof(
    { weight: 9, arbitrary: authorization.map(one => [one]) },
    { weight: 1, arbitrary: fc.array(authorization, { maxLength: 2 }) },
  ),
  names: fc.constantFrom('Authorization', 'authorization', 'AUTHORIZATION'),
  proofs: fc.oneof(
    { weight: 9, arbitrary: fc.array(proof, { maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(proof, { maxLength: 2 }) },
  ),
  others,
  body: fc.constantFrom('', '', '{}', '{'),
})

/** Sends bytes and returns the answer; undefined if the connection was closed without one. */
function exchange(port: number, text: string): Promise<string | undefined> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')))
    socket.setTimeout(5_000, () => {
      answer = 'HTTP/1.1 599 it hangs'
      socket.destroy()
    })
    socket.on('data', chunk => {
      answer = (answer + chunk.toString('latin1')).replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, '')
      if (isWhole(answer, text.startsWith('HEAD'))) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer === '' ? undefined : answer))
  })
}

function isWhole(answer: string, isHead: boolean): boolean {
  const [head = '', body] = answer.split('\r\n\r\n', 2)
  if (body === undefined) return false
  const length = isHead ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
  return body.length >= length
}

for (const introspection of [false, true])
  for (const problemDetails of [false, true])
    t.test(
      `answers random requests correctly: introspection ${introspection}, problem details ${problemDetails}`,
      async t => {
        const fatal = watchProcess(t)
        const { app, port, issuer, broken, events } = await startTarget(t, { introspection, problemDetails })
        const seen = new Map<number, number>()
        const heapBefore = heap()
        await fc.assert(
          fc.asyncProperty(request, async given => {
            const lines = [
              `${given.method} ${given.target} HTTP/1.1`,
              `Host: ${given.host}`,
              ...given.authorizations.map(make => `${given.names}: ${make(issuer)}`),
              ...given.proofs.map(make => `DPoP: ${make(issuer)}`),
              ...given.others,
              `Content-Length: ${given.body.length}`,
              ...(given.others.some(line => line.startsWith('Connection')) ? [] : ['Connection: close']),
            ]
            const answer = await exchange(port, `${lines.join('\r\n')}\r\n\r\n${given.body}`)
            const status = Number(answer?.slice(9, 12) ?? 400)
            seen.set(status, (seen.get(status) ?? 0) + 1)
            const [, body = ''] = answer?.split('\r\n\r\n') ?? []
            return (status < 500 || status === 503) && !/vault|node_modules|resource-server\//.test(body)
          }),
          { seed, numRuns },
        )
        t.comment([...seen].join(' '))
        t.strictSame(broken, [])
        await settle()
        t.strictSame(fatal, [])
        for (const status of [200, 400, 401, 404]) t.ok(seen.has(status), [...seen].join(' '))
        t.ok(events.count > numRuns / 10, `${events.count} events`)
        const { cachedTokens, refused } = app.oauth.stats()
        t.ok(cachedTokens <= 2 * maxCachedTokens)
        t.ok((refused.proof ?? 0) > 0 && (refused.missing ?? 0) > 0, JSON.stringify(refused))
        const grown = heap() - heapBefore
        t.ok(grown < 100e6, `the heap has grown by ${Math.round(grown / 1e6)} MB`)
      },
    )

/** `node --expose-gc` makes it exact. */
function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
