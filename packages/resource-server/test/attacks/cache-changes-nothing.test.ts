import assert from 'node:assert/strict'
import fastify, { type FastifyInstance } from 'fastify'
import resourceServer from 'fastify-resource-server'
import fc from 'fast-check'
import t from 'tap'
import { makeKey, signRaw, startHandMadeIssuer, type SigningKey } from '../hand-made-issuer.js'
import { audience } from '../protected-app.js'

const start = 1_800_000_000
const [first, second, stranger] = [makeKey('first'), makeKey('second'), makeKey('first')]
const listed = [first.jwk, second.jwk]

/** Tokens of many kinds; what is good changes as time goes by, and as the issuer lists other keys. */
function makeTokens(iss: string): Readonly<Record<string, string>> {
  const sign = (changes: object = {}, header: object = {}, key: SigningKey = first): string => {
    const claims = { iss, aud: audience, sub: 'payment', client_id: 'payment', scope: 'read', jti: 'one' }
    const times = { iat: start, exp: start + 300 }
    return signRaw(
      { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header },
      { ...claims, ...times, ...changes },
      key,
    )
  }
  const good = sign()
  const [header = '', , signature = ''] = good.split('.')
  const promoted = sign({ scope: 'write' }).split('.')[1] ?? ''
  return {
    good,
    'good, another': sign({ jti: 'two', scope: 'read write', auth_time: start }),
    'good for an hour': sign({ exp: start + 3_600 }),
    'good for seconds': sign({ exp: start + 10 }),
    'good later': sign({ nbf: start + 20, exp: start + 3_600 }),
    'issued later': sign({ iat: start + 40, exp: start + 3_600 }),
    'of the second key': sign({}, {}, second),
    expired: sign({ exp: start - 60 }),
    'for somebody else': sign({ aud: 'https://other.example.com' }),
    'of another issuer': sign({ iss: 'https://other.example.com' }),
    'of another type': sign({}, { typ: 'JWT' }),
    'of an unknown key': sign({}, { kid: 'unknown' }),
    'of a stranger': sign({}, {}, stranger),
    'bound to a key': sign({ cnf: { jkt: 'thumbprint' } }),
    'promoted, with the signature of a good one': `${header}.${promoted}.${signature}`,
    'cut off': good.slice(0, -1),
    padded: `${good}=`,
    'twice in one': `${good} ${good}`,
    garbage: 'garbage',
    nothing: '',
  }
}

type Step =
  | { readonly do: 'call'; readonly calls: readonly Call[] }
  | { readonly do: 'verify'; readonly token: string }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'list'; readonly kids: readonly string[] }

interface Call {
  readonly token: string
  readonly url: string
  readonly scheme: string
}

const names = Object.keys(makeTokens(''))
/** Most of them are good at some time, and come again. */
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...names.slice(0, 7)) },
  { weight: 2, arbitrary: fc.constantFrom(...names) },
)
const call = fc.record<Call>({
  token: name,
  url: fc.constantFrom('/read', '/read', '/write', '/recent', '/optional'),
  scheme: fc.constantFrom('Bearer', 'Bearer', 'Bearer', 'bearer', 'BEARER', 'Basic'),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), calls: fc.tuple(call) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      calls: fc.array(call, { minLength: 2, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('verify' as const), token: name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(-60, -40, -10, -4, 1, 5, 15, 30, 200),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      kids: fc.constantFrom(['first'], ['second'], ['first', 'second']),
    }),
  },
)

interface Server {
  readonly app: FastifyInstance
  /** Why it refused, since this was last read. */
  reasons(): readonly string[]
}

t.test('answers a random sequence of requests in the same way with and without the cache', async t => {
  const issuer = await startHandMadeIssuer(t, [first])
  const tokens = makeTokens(issuer.url)
  let now = 0

  async function startServer(maxCachedTokens: number): Promise<Server> {
    const reasons: string[] = []
    const write = (line: string): void => {
      const { reason } = JSON.parse(line) as { reason?: string }
      if (reason !== undefined) reasons.push(reason)
    }
    const app = fastify({ logger: { level: 'info', stream: { write } } })
    await app.register(resourceServer, {
      issuer: issuer.url,
      audience,
      maxCachedTokens,
      clock: () => now,
      // Keys are renewed where a request waits for it, and never in the background.
      jwksMaxAgeMs: 86_400_000,
      jwksStaleIfErrorMs: 604_800_000,
      unknownKeyCooldownMs: 0,
    })
    app.get('/read', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => auth)
    app.get('/write', { config: { oauth: { scopes: ['write'] } } }, async ({ auth }) => auth)
    app.get('/recent', { config: { oauth: { maxAgeMs: 30_000 } } }, async ({ auth }) => auth)
    app.get('/optional', { config: { oauth: { optional: true } } }, async ({ auth }) => ({ auth }))
    return { app, reasons: () => reasons.splice(0).sort() }
  }

  async function send(app: FastifyInstance, { token, url, scheme }: Call): Promise<unknown> {
    const headers = { authorization: `${scheme} ${tokens[token]}` }
    const answer = await app.inject({ url, headers })
    return { status: answer.statusCode, challenge: answer.headers['www-authenticate'], body: answer.body }
  }

  async function take({ app, reasons }: Server, one: Step): Promise<readonly unknown[]> {
    if (one.do === 'call')
      return [...(await Promise.all(one.calls.map(each => send(app, each)))), ...reasons()]
    if (one.do !== 'verify') return []
    const settled = await app.oauth
      .verify(tokens[one.token] ?? '')
      .catch((error: { code: string }) => error.code)
    return [settled, ...reasons()]
  }

  const statuses = new Map<unknown, number>()
  function count(answers: readonly unknown[]): void {
    for (const answer of answers) {
      const { status } = answer as { status?: unknown }
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }

  async function answerAlike(steps: readonly Step[], maxCachedTokens: number): Promise<void> {
    now = start * 1000
    issuer.keys = [first.jwk]
    const servers = [await startServer(maxCachedTokens), await startServer(0)] as const
    try {
      for (const one of steps) {
        if (one.do === 'wait') now += one.seconds * 1000
        if (one.do === 'list') issuer.keys = listed.filter(({ kid = '' }) => one.kids.includes(kid))
        const [remembered, verified] = [await take(servers[0], one), await take(servers[1], one)]
        assert.deepStrictEqual(remembered, verified)
        count(verified)
      }
    } finally {
      for (const { app } of servers) await app.close()
    }
  }

  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.constantFrom(1, 2, 1_000),
      answerAlike,
    ),
    { seed: 20_260_101, numRuns: 100 },
  )
  for (const status of [200, 400, 401, 403])
    t.ok((statuses.get(status) ?? 0) > 50, `${statuses.get(status)} times ${status}`)
})
