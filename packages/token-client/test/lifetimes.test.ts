import { setImmediate as nextTick } from 'node:timers/promises'
import t from 'tap'
import { createTokenCache } from '#src/acquire/token-cache.js'
import { schedule } from '#src/token.js'
import type { TokenAnswer } from '#src/acquire/ask-for-token.js'
import { startTokenEndpoint, tokens } from './token-endpoint.js'
import { clientOf, start } from './standing-clock.js'

t.test('a token is renewed once, in the background, before it expires', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const first = await client.getToken()
  clock.now = start + 47_999
  t.equal(await client.getToken(), first)
  t.equal(endpoint.requests.length, 1, 'not before 80 % of its life')
  clock.now = start + 48_000
  t.equal(
    (await Promise.all(Array.from({ length: 10 }, () => client.getToken())))[9],
    first,
    'the old one goes on',
  )
  while (client.peekToken() === first) await nextTick()
  t.equal(endpoint.requests.length, 2)
})

// A server that takes a second for a token: nobody waits, and nobody has an old one, however short tokens live.
for (const { expiresIn, atMost } of [
  { expiresIn: 10, atMost: 90 },
  { expiresIn: 4, atMost: 310 },
])
  t.test(
    `under steady load with tokens of ${expiresIn} s, no call waits or sends an expired token`,
    async t => {
      let now = start
      const answers: { at: number; resolve: () => void }[] = []
      let issued = 0
      const source = createTokenCache(
        () => {
          const requestedAt = now
          return new Promise<TokenAnswer>(resolve => {
            issued += 1
            const accessToken = `token-${issued}`
            answers.push({
              at: now + 1_000,
              resolve: () => resolve({ accessToken, requestedAt, expiresIn, scope: undefined }),
            })
          })
        },
        {
          name: 'receipts',
          lifetimes: { renewAfter: 0.8, skewMs: 30_000 },
          now: () => now,
          random: () => 0.5,
          isClosing: () => false,
          onFailure: () => {},
        },
      )
      const release = async (): Promise<void> => {
        while (answers[0] !== undefined && answers[0].at <= now) answers.shift()?.resolve()
        for (let turn = 0; turn < 5; turn += 1) await nextTick()
      }
      const cold = source.getToken()
      now += 1_000
      await release()
      await cold
      let calls = 0
      for (; now < start + 600_000; now += 50) {
        await release()
        const token = source.getToken()
        if (token instanceof Promise) throw new Error(`a call waited at ${now - start} ms`)
        if (token.expiresAt <= now) throw new Error(`a call had a token that had ended at ${now - start} ms`)
        calls += 1
      }
      t.ok(calls > 11_000)
      t.ok(issued > 600 / expiresIn && issued < atMost, `${issued} tokens in 600 s`)
    },
  )

t.test('calls without a usable token wait for one request, and an abort ends only its own wait', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const first = await client.getToken()
  clock.now = start + 60_000
  const waiting = [client.getToken(), client.getToken()]
  const aborted = client.request({ path: '/', signal: AbortSignal.abort() })
  await t.rejects(aborted, { name: 'AbortError' })
  const [one, other] = await Promise.all(waiting)
  t.equal(one, other)
  t.not(one, first)
  t.equal(endpoint.requests.length, 2)
})

const lifetimes: Record<string, { expiresIn: unknown; usableFor: number }> = {
  'an hour': { expiresIn: 3600, usableFor: 3_570_000 },
  'four seconds': { expiresIn: 4, usableFor: 3_600 },
  'a string': { expiresIn: '60', usableFor: 54_000 },
  absent: { expiresIn: undefined, usableFor: 54_000 },
  'longer than any process': { expiresIn: 1e12, usableFor: 365 * 86_400_000 - 30_000 },
}
for (const [what, { expiresIn, usableFor }] of Object.entries(lifetimes))
  t.test(`expires_in: ${what}`, async t => {
    const endpoint = await startTokenEndpoint(t, tokens(expiresIn))
    const { client } = clientOf(t, endpoint)
    const token = await client.getToken()
    t.equal(token.useUntil - start, usableFor)
    t.ok(token.renewAt <= token.useUntil && token.useUntil <= token.expiresAt)
  })

for (const expiresIn of [-5, 'soon', null, {}])
  t.test(`expires_in: ${JSON.stringify(expiresIn)} causes no loop of token requests`, async t => {
    const endpoint = await startTokenEndpoint(t, tokens(expiresIn))
    const { client } = clientOf(t, endpoint)
    for (let call = 0; call < 20; call += 1) await client.getToken().catch(() => {})
    t.ok(endpoint.requests.length <= 20)
    t.ok(
      endpoint.requests.length <= 1 || expiresIn === -5,
      `${endpoint.requests.length} requests for 20 calls`,
    )
  })

t.test('for any lifetime, a token is renewed before its use ends, and its use ends before it expires', t => {
  const lifetimes = { renewAfter: 0.8, skewMs: 30_000 }
  const stated = [undefined, Number.NaN, -1, 0, 0.5, 1, 4, 60, 3600, 1e12, Infinity]
  const took = [0, 100, 5_000, 60_000]
  const received = stated.flatMap(expiresIn =>
    took.map(tookMs => ({ requestedAt: start, expiresIn, tookMs })),
  )
  for (const answer of received)
    for (const random of [0, 0.5, 1]) {
      const { renewAt, useUntil, expiresAt } = schedule(answer, lifetimes, random)
      const inOrder = start <= renewAt && renewAt <= useUntil && useUntil <= expiresAt
      t.ok(inOrder && Number.isFinite(expiresAt), JSON.stringify({ ...answer, random }))
    }
  const { renewAt } = schedule({ requestedAt: start, expiresIn: 100, tookMs: 0 }, lifetimes, 1)
  t.equal(renewAt, start + 72_000, 'up to a tenth earlier, at random')
  t.end()
})

t.test('the lifetime of a token counts from the time of its request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { client, clock } = clientOf(t, endpoint)
  const answer = endpoint.behave
  endpoint.behave = (response, request) => {
    clock.now += 5_000
    answer(response, request)
  }
  t.equal((await client.getToken()).expiresAt, start + 60_000)
})
