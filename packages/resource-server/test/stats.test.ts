import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import type { ResourceServerEvents } from 'fastify-resource-server'
import { startBench } from './protected-app.js'

t.test('counts accepted and refused requests, and describes the issuer', async t => {
  const bench = await startBench(t)
  t.match(bench.app.oauth.stats(), { allowed: 0, refused: {}, cachedTokens: 0 })
  const token = bench.token()
  await bench.call(token)
  await bench.call(token)
  await bench.call(token, '/write')
  await bench.send(undefined)
  await bench.call(bench.token({ exp: 1 }))
  await bench.call(bench.token({ exp: 1 }))
  await bench.app.oauth.verify(token)
  await t.rejects(bench.app.oauth.verify('a.b'))
  t.same(bench.app.oauth.stats(), {
    allowed: 3,
    refused: { scope: 1, missing: 1, expired: 2, malformed: 1 },
    reported: [],
    cachedTokens: 1,
    issuers: [{ issuer: bench.issuer.url, kids: ['first'], fetchedAt: bench.clock.now, failures: 0 }],
  })

  bench.issuer.goAway()
  bench.clock.now += 3_900_001
  await bench.call(bench.token())
  t.match(bench.app.oauth.stats(), {
    refused: { unavailable: 1 },
    issuers: [{ kids: [], failures: 1 }],
  })
})

t.test('publishes events with durations and without secrets', async t => {
  const seen: [string, Record<string, unknown>][] = []
  const names = ['allow', 'deny', 'keys', 'keys-failed'] as const
  for (const name of names) {
    const channel = `fastify-resource-server:${name}` satisfies keyof ResourceServerEvents
    const listen = (message: unknown): void =>
      void seen.push([name, { ...(message as Record<string, unknown>), request: undefined }])
    subscribe(channel, listen)
    t.teardown(() => unsubscribe(channel, listen))
  }
  const bench = await startBench(t)
  const token = bench.token()
  await bench.call(token)
  await bench.call(bench.token({}, { kid: 'unknown' }))
  bench.issuer.answer = response => response.writeHead(500).end()
  bench.clock.now += 3_900_001
  await bench.call(bench.token())
  t.same(
    seen.map(([name, { reason }]) => [name, reason].filter(Boolean).join(' ')),
    ['keys', 'allow', 'keys', 'deny unknown_key', 'keys-failed', 'deny unavailable'],
  )
  for (const [name, { durationMs }] of seen) t.type(durationMs, 'number', name)
  t.notMatch(JSON.stringify(seen), token.slice(-20))
})
