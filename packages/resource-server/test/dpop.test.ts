import { createHmac } from 'node:crypto'
import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import t from 'tap'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { origin, startDpop } from './dpop-bench.js'
import { makeProof, makeProofKey } from './hand-made-proof.js'
import { audience, startBench } from './protected-app.js'

t.test('accepts a bound token with a proof of its key', async t => {
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

t.test('refuses a bound token without a proof, and a plain token with a proof', async t => {
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

t.test('accepts only nonces of this server', async t => {
  const nonceSecret = 'shared by two replicas, kept in a vault'
  const bench = await startDpop(t, { origin, nonce: true, nonceSecret })
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

  const replica = await startDpop(t, { origin, nonce: true, nonceSecret }, bench.client)
  replica.clock.now = bench.clock.now
  const there = replica.bound()
  t.equal(
    (await replica.prove(makeProof(replica.client, replica.proofClaims(there, { nonce: next })), there))
      .statusCode,
    200,
    'a replica knows it',
  )
})

t.test('requires proofs on all routes or on one route', async t => {
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
    message: /GET \/strict: config\.oauth\.dpop has no effect unless the plugin's option `dpop` is set/,
  })
})

t.test('rejects invalid options and rules', async t => {
  const wrong: [unknown, RegExp][] = [
    ['on', /option `dpop\.mode` is "on"; expected 'off', 'allow' or 'require'/],
    [true, /option `dpop` is true; expected 'off', 'allow', 'require', or an object/],
    [{ mode: 'on' }, /`dpop\.mode` is "on"/],
    [{ algorithms: ['HS256'] }, /`dpop\.algorithms\[0\]` is "HS256"/],
    [
      { maxProofAgeMs: 0 },
      /`dpop\.maxProofAgeMs` is 0; expected a number of milliseconds from 1000 to 600000/,
    ],
    [{ maxProofAgeMs: 600_001 }, /`dpop\.maxProofAgeMs` is 600001/],
    [{ nonceSecret: undefined }, /`dpop\.nonceSecret` is undefined \(is the environment variable set\?\)/],
    [{ mode: undefined }, /`dpop\.mode` is undefined/],
    [{ maxProofAgeMs: Infinity }, /`dpop\.maxProofAgeMs`/],
    [{ origin: 'https://api.example.com/v1' }, /`dpop\.origin`.*scheme, host and port/],
    [{ nonceSecret: 'short' }, /`dpop\.nonceSecret` is invalid; expected a string of at least 32 characters/],
    [
      { nonceSecret: 'a'.repeat(32), nonce: false },
      /`dpop\.nonceSecret` has no effect without `dpop\.nonce: true`/,
    ],
    [{ nonceSecret: 'a'.repeat(32) }, /`dpop\.nonceSecret` has no effect without/],
    [{ replayStore: {} }, /redisReplayStore/],
    [{ replayStor: {} }, /no option `dpop\.replayStor`.*did you mean `replayStore`/],
  ]
  for (const [dpop, message] of wrong)
    await t.rejects(startBench(t, { dpop: dpop as never }), { message }, String(message))
})
