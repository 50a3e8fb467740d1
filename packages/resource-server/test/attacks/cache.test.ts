import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { Refusal } from '#src/errors.js'
import { createTokenCache } from '#src/verify/token-cache.js'
import { makeKey } from '../hand-made-issuer.js'
import { startBench } from '../protected-app.js'

t.test('keeps verified tokens in the cache during a flood of invalid tokens', async t => {
  const cache = createTokenCache(2, () => 0)
  const bench = await startBench(t, { maxCachedTokens: 2 })
  const stranger = makeKey('first')
  const good = bench.token({ jti: 'good' })
  const remembered = await bench.app.oauth.verify(good)
  for (let index = 0; index < 100; index += 1)
    t.equal((await bench.call(bench.token({ jti: `${index}` }, {}, stranger))).statusCode, 401)
  t.equal(bench.app.oauth.stats().cachedTokens, 1, 'what was refused is not remembered')
  t.equal(await bench.app.oauth.verify(good), remembered, 'the very same: it was not verified again')
  const verified = {
    outcome: {} as never,
    validity: { from: 0, until: 1, signedBy: { key: {} as never, keys: { reuse: () => true } as never } },
  }
  cache.set('good', verified)
  for (let index = 0; index < 100; index += 1) t.equal(cache.get(`garbage ${index}`), undefined)
  t.equal(cache.get('good'), verified.outcome, 'looking for what is not there evicts nothing')
  t.equal(cache.size, 1)
  t.equal((await bench.call(good)).statusCode, 200)
})

const longText = (index: number): string => `${'x'.repeat(15_000)}${index}`

t.test(
  'keeps verified tokens in the cache during a flood of expired tokens, with bounded memory',
  async t => {
    const bench = await startBench(t, { maxCachedTokens: 2 })
    const seconds = bench.clock.now / 1000
    const good = bench.token({ jti: 'good' })
    const remembered = await bench.app.oauth.verify(good)
    for (let index = 0; index < 50; index += 1) {
      const late = bench.token({ jti: `${index}`, exp: seconds - 3_600 })
      for (const time of ['first', 'second'])
        t.equal((await bench.call(late)).statusCode, 401, `${time} time`)
    }
    t.equal(bench.app.oauth.stats().cachedTokens, 1)
    t.equal(await bench.app.oauth.verify(good), remembered, 'the very same: it was not verified again')

    const cache = createTokenCache(1_000, () => 0)
    const expired = { outcome: new Refusal('expired'), validity: { from: 0, until: Infinity } }
    for (let index = 0; index < 500; index += 1) cache.set(longText(index), expired)
    t.equal(cache.get(longText(499)), expired.outcome)
    const kept = Array.from({ length: 500 }, (_, index) => cache.get(longText(index))).filter(Boolean).length
    t.ok(kept * 15_000 <= 1_000_000, `${kept} kept`)

    const old = bench.token({ exp: seconds - 3_600, iat: seconds - 7_200 })
    t.equal((await bench.call(old)).statusCode, 401)
    bench.clock.now -= 5_400_000
    t.equal((await bench.call(old)).statusCode, 200, 'by a clock that was set right, it is not late')
    bench.clock.now += 5_400_000
    t.equal((await bench.call(old)).statusCode, 401, 'and late again when its time is over')
  },
)

t.test('does not confuse a text with a verified token that ends in the same way', async t => {
  const cache = createTokenCache(10, () => 0)
  const verified = {
    outcome: {} as never,
    validity: { from: 0, until: 1, signedBy: { key: {} as never, keys: { reuse: () => true } as never } },
  }
  const signature = 's'.repeat(86)
  const known = `Bearer header.payload.${signature}`
  cache.set(known, verified)
  for (const other of [
    `Bearer header.other00.${signature}`,
    `bearer header.payload.${signature}`,
    `header.payload.${signature}`,
    `Bearer  header.payload.${signature}`,
    `Bearer .${signature}`,
    `Bearer ${signature}`,
    signature,
    `Bearer header.payload.x${signature}`,
  ])
    t.equal(cache.get(other), undefined, other)
  t.equal(cache.get(known), verified.outcome)

  const bench = await startBench(t)
  const good = bench.token()
  t.equal((await bench.call(good)).statusCode, 200)
  await t.rejects(bench.app.oauth.verify(`Bearer ${good}`), { code: 'OAUTH_INVALID_TOKEN' })
  const [header = '', payload = '', end = ''] = good.split('.')
  const promoted = Buffer.from(
    JSON.stringify({
      ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
      scope: 'read write admin',
    }),
  ).toString('base64url')
  for (const forged of [
    `${header}.${promoted}.${end}`,
    `${good.slice(0, -40)} ${good.slice(-39)}`,
    `${good}=`,
  ])
    t.not(
      (await bench.call(forged)).statusCode,
      200,
      forged.length === good.length ? 'a space in it' : 'forged',
    )
  t.equal((await bench.call(good)).statusCode, 200)
})

t.test('does not let a handler change the token that the next request gets', async t => {
  const bench = await startBench(t)
  const seen: unknown[] = []
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience: 'https://api.example.com',
    clock: () => bench.clock.now,
  })
  app.get('/', async ({ auth }) => {
    seen.push(structuredClone({ ...auth }))
    for (const spoil of [
      () => ((auth as { subject: string }).subject = 'admin'),
      () => (auth.scopes as string[]).push('admin'),
      () => ((auth.claims as Record<string, unknown>)['sub'] = 'admin'),
      () => (auth.claims as { nested: { list: string[] } }).nested.list.push('admin'),
    ])
      t.throws(spoil, TypeError)
    return 'done'
  })
  const headers = { authorization: `Bearer ${bench.token({ nested: { list: ['a'] } })}` }
  for (let call = 0; call < 2; call += 1) t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  t.strictSame(seen[0], seen[1])
})
