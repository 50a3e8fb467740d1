import { createHmac } from 'node:crypto'
import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import resourceServer, {
  redisReplayStore,
  type DpopOptions,
  type ResourceServerOptions,
} from 'fastify-resource-server'
import { base64url, signHmac, signRaw } from './hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey, type ProofKey } from './hand-made-proof.js'
import { audience, startBench, type Bench } from './protected-app.js'
import { noRedis, startRedis } from './redis-server.js'

const origin = 'https://api.example.com'
let made = 0

interface DpopBench extends Bench {
  readonly client: ProofKey
  /** What a right proof for GET /read holds, with these changes. */
  proofClaims(token: string, changes?: Record<string, unknown>): Record<string, unknown>
  /** GET /read with a bound token and this proof; a right one, if none is given. */
  prove(proof?: string | string[], token?: string, url?: string): Promise<LightMyRequestResponse>
  bound(changes?: Record<string, unknown>): string
}

async function startDpop(
  t: Test,
  dpop: ResourceServerOptions['dpop'] | 'off' = { origin },
  client: ProofKey = makeProofKey(),
): Promise<DpopBench> {
  const bench = await startBench(t, dpop === 'off' ? {} : { dpop })
  const bound = (changes = {}): string => bench.token({ cnf: { jkt: client.thumbprint }, ...changes })
  const proofClaims: DpopBench['proofClaims'] = (token, changes) => ({
    htm: 'GET',
    htu: `${origin}/read`,
    iat: Math.floor(bench.clock.now / 1000),
    jti: `proof-${(made += 1)}`,
    ath: hashOf(token),
    ...changes,
  })
  return {
    ...bench,
    client,
    bound,
    proofClaims,
    prove: (proof, token = bound(), url = '/read') =>
      bench.app.inject({
        url,
        headers: {
          authorization: `DPoP ${token}`,
          dpop: (proof ?? makeProof(client, proofClaims(token, { htu: origin + url }))) as string,
        },
      }),
  }
}

t.test('a bound token and a proof of its key', async t => {
  const bench = await startDpop(t)
  const answer = await bench.prove()
  t.equal(answer.statusCode, 200)
  t.equal(answer.json<{ clientId: string }>().clientId, 'payment')
  t.equal((await bench.prove()).statusCode, 200, 'again, with another proof, from the cache')
  t.equal((await bench.prove(undefined, undefined, '/any')).statusCode, 200)
  t.equal((await bench.prove(undefined, undefined, '/write')).statusCode, 403)
  t.match(
    (await bench.prove(undefined, undefined, '/write')).headers['www-authenticate'],
    /^Bearer, DPoP error="insufficient_scope", .*scope="write", algs="RS256 .*ES256/,
    'the error stands with the scheme that was used',
  )
})

t.test('every kind of key', async t => {
  for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256'] as const) {
    const bench = await startDpop(t, { origin }, makeProofKey(algorithm))
    t.equal((await bench.prove()).statusCode, 200, algorithm)
  }
})

t.test('a bound token is no bearer token, and a plain token has no proof', async t => {
  const bench = await startDpop(t)
  const stolen = await bench.call(bench.bound())
  t.equal(stolen.statusCode, 401)
  t.match(stolen.headers['www-authenticate'], /^Bearer error="invalid_token", .*, DPoP algs=/)
  t.equal(bench.lastReason(), 'binding')

  const plain = bench.token()
  const claimed = await bench.prove(makeProof(bench.client, bench.proofClaims(plain)), plain)
  t.equal(claimed.statusCode, 401)
  t.equal(bench.lastReason(), 'binding')
  t.equal((await bench.call(plain)).statusCode, 200, 'mode allow: plain tokens do')

  const off = await startDpop(t, 'off')
  t.equal((await off.call(off.bound())).statusCode, 401, 'also where DPoP is off')
  t.equal((await off.prove()).statusCode, 401)
  t.equal(off.lastReason(), 'missing', 'whose scheme is unknown there')
})

t.test('each wrong proof is refused, and never with a 5xx', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const other = makeProofKey()
  const { client, clock } = bench
  const seconds = Math.floor(clock.now / 1000)
  const right = (changes: Record<string, unknown> = {}): Record<string, unknown> =>
    bench.proofClaims(token, changes)
  const signed = makeProof(client, right())
  const [head = '', body = '', signature = ''] = signed.split('.')
  const wrong: Record<string, string> = {
    'no JWT': 'proof',
    empty: '',
    'two segments': `${head}.${body}`,
    'not base64url': `${head}.${body}=.${signature}`,
    'no typ': makeProof(client, right(), { typ: undefined }),
    'typ of a token': makeProof(client, right(), { typ: 'at+jwt' }),
    'alg none': `${base64url({ typ: 'dpop+jwt', alg: 'none', jwk: client.publicJwk })}.${base64url(right())}.`,
    'alg HS256': signHmac(
      { typ: 'dpop+jwt', alg: 'HS256', jwk: client.publicJwk },
      right(),
      JSON.stringify(client.publicJwk),
    ),
    'alg of another key': makeProof(client, right(), { alg: 'RS256' }),
    'no jwk': makeProof(client, right(), { jwk: undefined }),
    'jwk is a list': makeProof(client, right(), { jwk: [client.publicJwk] }),
    'jwk is symmetric': makeProof(client, right(), { jwk: { kty: 'oct', k: 'c2VjcmV0' } }),
    'jwk is not on its curve': makeProof(client, right(), { jwk: { ...client.publicJwk, x: 'AAAA' } }),
    'jwk holds the private key': makeProof(client, right(), {
      jwk: client.privateKey.export({ format: 'jwk' }),
    }),
    crit: makeProof(client, right(), { crit: ['exp'], exp: 1 }),
    'htm of another method': makeProof(client, right({ htm: 'POST' })),
    'htm in lower case': makeProof(client, right({ htm: 'get' })),
    'no htm': makeProof(client, right({ htm: undefined })),
    'htu of another path': makeProof(client, right({ htu: `${origin}/write` })),
    'htu of another host': makeProof(client, right({ htu: 'https://evil.example/read' })),
    'htu of another scheme': makeProof(client, right({ htu: 'http://api.example.com/read' })),
    'htu is no URL': makeProof(client, right({ htu: '/read' })),
    'htu is a list': makeProof(client, right({ htu: [`${origin}/read`] })),
    'no jti': makeProof(client, right({ jti: undefined })),
    'jti is a number': makeProof(client, right({ jti: 7 })),
    'jti without end': makeProof(client, right({ jti: 'a'.repeat(257) })),
    'no iat': makeProof(client, right({ iat: undefined })),
    'iat too early': makeProof(client, right({ iat: seconds - 61 })),
    'iat too late': makeProof(client, right({ iat: seconds + 61 })),
    'iat is text': makeProof(client, right({ iat: String(seconds) })),
    'iat is null': makeProof(client, right({ iat: null })),
    'no ath': makeProof(client, right({ ath: undefined })),
    'ath of another token': makeProof(client, right({ ath: hashOf(`${token}x`) })),
    'nonce is a number': makeProof(client, right({ nonce: 1 })),
    'another signature': signRaw({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicJwk }, right(), other),
    'tampered payload': `${head}.${base64url(right({ jti: 'other' }))}.${signature}`,
    'a payload that is no object': makeProof(client, [] as never),
    'far too long': makeProof(client, right({ filler: 'a'.repeat(9_000) })),
  }
  for (const [name, proof] of Object.entries(wrong)) {
    const answer = await bench.prove(proof, token)
    t.equal(answer.statusCode, 401, name)
    t.match(answer.headers['www-authenticate'], /^Bearer, DPoP error="invalid_dpop_proof"/, name)
    t.equal(answer.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', name)
  }
  t.equal(
    (await bench.prove(makeProof(other, right()), token)).json<{ code: string }>().code,
    'OAUTH_INVALID_TOKEN',
    "another client's key: the token is not for it",
  )
  const without = await bench.send(`DPoP ${token}`)
  t.equal(without.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', 'no proof at all')
  t.equal((await bench.prove([signed, makeProof(client, right())], token)).statusCode, 401, 'two proofs')
  t.equal((await bench.prove(signed, token)).statusCode, 200, 'what was refused spoilt nothing')
})

t.test('the proof is for the URL as clients know it', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const withHtu = (htu: string): string => makeProof(bench.client, bench.proofClaims(token, { htu }))
  for (const htu of [
    'https://API.example.com:443/read',
    'https://api.example.com/x/../read',
    'https://api.example.com/%72ead',
    `${origin}/read?page=1#top`,
  ])
    t.equal((await bench.prove(withHtu(htu), token)).statusCode, 200, htu)
  t.equal(
    (await bench.prove(withHtu(`${origin}/read`), token, '/read?page=1')).statusCode,
    200,
    'a query does not count',
  )

  const asRequested = await startDpop(t, 'allow')
  const plain = asRequested.bound()
  const proof = makeProof(
    asRequested.client,
    asRequested.proofClaims(plain, { htu: 'http://localhost:80/read' }),
  )
  t.equal((await asRequested.prove(proof, plain)).statusCode, 200, 'without origin: the Host of the request')
  for (const host of ['api.example.com/any?', 'api.example.com/any#', 'user@api.example.com', '[', 'a b']) {
    const { statusCode, headers } = await asRequested.app.inject({
      url: '/read',
      headers: {
        host,
        authorization: `DPoP ${plain}`,
        dpop: makeProof(
          asRequested.client,
          asRequested.proofClaims(plain, { htu: 'http://api.example.com/any' }),
        ),
      },
    })
    t.equal(statusCode, 401, `${host}: no part of the path comes from there`)
    t.match(headers['www-authenticate'], /invalid_dpop_proof/)
  }
  for (const host of ['api.example.com:port', ':', '[::1']) {
    const { statusCode } = await asRequested.app.inject({
      url: '/read',
      headers: {
        host,
        authorization: `DPoP ${plain}`,
        dpop: makeProof(asRequested.client, asRequested.proofClaims(plain, { htu: 'no URL either' })),
      },
    })
    t.equal(statusCode, 401, `${host}: two that are no URLs are not the same`)
  }
})

t.test('a proof works once', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const claims = bench.proofClaims(token)
  const proof = makeProof(bench.client, claims)
  t.equal((await bench.prove(proof, token)).statusCode, 200)
  t.equal((await bench.prove(proof, token)).json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF')
  t.equal(
    (await bench.prove(makeProof(bench.client, claims), token)).statusCode,
    401,
    'signed anew, with the same jti',
  )
  for (const later of [30_000, 59_000]) {
    bench.clock.now = (claims['iat'] as number) * 1000 + later
    t.equal((await bench.prove(proof, token)).statusCode, 401, `still, ${later} ms later`)
  }
  const together = makeProof(bench.client, bench.proofClaims(token))
  const answers = await Promise.all([1, 2, 3, 4].map(() => bench.prove(together, token)))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1, 'also of four at once')
})

t.test('a nonce that only this server can have made', async t => {
  const nonceSecret = 'shared by two replicas, kept in a vault'
  const bench = await startDpop(t, { origin, nonceSecret })
  const token = bench.bound()
  const first = await bench.prove(undefined, token)
  t.equal(first.statusCode, 401)
  t.match(first.headers['www-authenticate'], /DPoP error="use_dpop_nonce"/)
  const nonce = first.headers['dpop-nonce'] as string
  t.match(nonce, /^[\w-]{32}$/)

  const withNonce = (value: string): string =>
    makeProof(bench.client, bench.proofClaims(token, { nonce: value }))
  const second = await bench.prove(withNonce(nonce), token)
  t.equal(second.statusCode, 200)
  t.equal(second.headers['dpop-nonce'], undefined, 'it is still the one')
  for (const guess of [
    '',
    'guess',
    nonce.slice(1),
    createHmac('sha256', 'x').digest('base64url').slice(0, 32),
  ])
    t.equal((await bench.prove(withNonce(guess), token)).statusCode, 401, guess)

  bench.clock.now += 60_000
  const renewed = await bench.prove(withNonce(nonce), token)
  t.equal(renewed.statusCode, 200, 'the one before does')
  const next = renewed.headers['dpop-nonce'] as string
  t.ok(next !== nonce && next.length === 32, 'and the next one comes with the answer')
  bench.clock.now += 60_000
  t.equal((await bench.prove(withNonce(nonce), token)).statusCode, 401, 'the one before that does not')

  const replica = await startDpop(t, { origin, nonceSecret }, bench.client)
  replica.clock.now = bench.clock.now
  const there = replica.bound()
  t.equal(
    (await replica.prove(makeProof(replica.client, replica.proofClaims(there, { nonce: next })), there))
      .statusCode,
    200,
    'a replica knows it',
  )
})

t.test('required everywhere, or for a route', async t => {
  const everywhere = await startDpop(t, { origin, mode: 'require' })
  const plain = await everywhere.call(everywhere.token())
  t.equal(plain.statusCode, 401)
  t.match(plain.headers['www-authenticate'], /^DPoP error="invalid_token"/)
  const none = await everywhere.send(undefined)
  t.match(none.headers['www-authenticate'], /^DPoP algs="[^"]+"$/, 'one scheme, and no error')
  t.equal((await everywhere.prove()).statusCode, 200)

  const bench = await startDpop(t)
  t.match((await bench.send(undefined)).headers['www-authenticate'], /^Bearer, DPoP algs="/)
  const build = (options: Partial<ResourceServerOptions>): FastifyInstance => {
    const app = fastify()
    t.teardown(() => app.close())
    app.register(resourceServer, {
      issuer: bench.issuer.url,
      audience,
      clock: () => bench.clock.now,
      ...options,
    })
    app.get('/strict', { config: { oauth: { scopes: ['read'], dpop: 'require' } } }, async () => 'strict')
    app.get('/loose', { config: { oauth: { dpop: 'allow' } } }, async () => 'loose')
    app.get('/plain', { config: { oauth: { dpop: 'off' } } }, async () => 'plain')
    app.get('/default', async () => 'default')
    return app
  }
  const authorization = `Bearer ${bench.token()}`
  const client = makeProofKey()
  const bound = bench.token({ cnf: { jkt: client.thumbprint } })
  for (const mode of ['off', 'allow', 'require'] as const) {
    const app = build({ dpop: { mode, origin } })
    const prove = async (path: string): Promise<LightMyRequestResponse> => {
      const claims = bench.proofClaims(bound, { htu: origin + path })
      return app.inject({
        url: path,
        headers: { authorization: `DPoP ${bound}`, dpop: makeProof(client, claims) },
      })
    }
    t.equal((await prove('/strict')).statusCode, 200, `${mode}, and a proof`)
    t.equal((await prove('/loose')).statusCode, 200, `${mode}, and a proof`)
    const plain = await prove('/plain')
    t.equal(plain.statusCode, 401, 'the route takes no proofs')
    t.equal(plain.headers['www-authenticate'], 'Bearer', 'and does not offer to')
    const stolen = await app.inject({ url: '/plain', headers: { authorization: `Bearer ${bound}` } })
    t.equal(stolen.statusCode, 401, 'nor bound tokens without one')
    t.equal((await app.inject({ url: '/plain', headers: { authorization } })).statusCode, 200)
    t.equal((await prove('/default')).statusCode, mode === 'off' ? 401 : 200)
    t.equal((await app.inject({ url: '/strict', headers: { authorization } })).statusCode, 401, mode)
    t.equal((await app.inject({ url: '/loose', headers: { authorization } })).statusCode, 200, mode)
    t.match(app.oauth.printRoutes(), /\/strict +read with DPoP proof\n/)
  }
  await t.rejects(async () => build({}).ready(), {
    code: 'OAUTH_INVALID_ROUTE',
    message: /GET \/strict: config\.oauth\.dpop does nothing without the option `dpop` of register/,
  })
})

t.test('shared by replicas in Redis', { skip: noRedis }, async t => {
  const { socket, stop } = await startRedis(t)
  const connect = (): Redis => {
    const redis = new Redis(socket, { maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => {})
    t.teardown(() => redis.disconnect())
    return redis
  }
  const client = makeProofKey()
  const options = (): DpopOptions => ({ origin, replayStore: redisReplayStore(connect()) })
  const [one, two] = [await startDpop(t, options(), client), await startDpop(t, options(), client)]
  const [here, there] = [one.bound(), two.bound()]
  const claims = one.proofClaims(here)
  t.equal((await one.prove(makeProof(client, claims), here)).statusCode, 200)
  const replayed = await two.prove(makeProof(client, { ...claims, ath: hashOf(there) }), there)
  t.equal(replayed.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', 'the other has seen it too')
  const ttl = await connect().pttl(`dpop-jti:${client.thumbprint}.${String(claims['jti'])}`)
  t.ok(ttl > 60_000 && ttl <= 120_000, 'forgotten when no proof of it can be good any more')

  await stop()
  const outage = await one.prove(undefined, here)
  t.equal(outage.statusCode, 503, 'nobody can tell: not let in, and no fault of the client')
  t.ok(Number(outage.headers['retry-after']) >= 1)
})

t.test('options and routes that make no sense stop the application', async t => {
  const wrong: [unknown, RegExp][] = [
    ['on', /option `dpop` is "on"; it wants 'off', 'allow' or 'require'/],
    [true, /option `dpop` is true; it wants 'off', 'allow', 'require', or an object/],
    [{ mode: 'on' }, /`dpop\.mode` is "on"/],
    [{ algorithms: ['HS256'] }, /`dpop\.algorithms` is "HS256"/],
    [{ maxProofAgeMs: 0 }, /`dpop\.maxProofAgeMs`/],
    [{ maxProofAgeMs: Infinity }, /`dpop\.maxProofAgeMs`/],
    [{ origin: 'https://api.example.com/v1' }, /`dpop\.origin`.*scheme, host and port/],
    [{ nonceSecret: 'short' }, /`dpop\.nonceSecret` wants text of 32 characters/],
    [{ nonceSecret: 'a'.repeat(32), nonce: false }, /does nothing while/],
    [{ replayStore: {} }, /redisReplayStore/],
    [{ replayStor: {} }, /no option `dpop\.replayStor`.*did you mean "replayStore"/],
  ]
  for (const [dpop, message] of wrong)
    await t.rejects(startBench(t, { dpop: dpop as never }), { message }, String(message))
})
