import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify, { type FastifyRequest } from 'fastify'
import resourceServer, { type ResourceServerEvents } from 'fastify-resource-server'
import { createTokenClient, type Token } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import t from 'tap'
import { clientOptions } from '#src/client-options.js'
import { loadConfig } from '#src/load-config.js'
import type { Check, Exchange } from '#src/live/exchange.js'
import { checksOf } from '#src/live/explain-request.js'
import { inLane } from '#src/live/lanes.js'
import { createJournal } from '#src/live/journal.js'
import { decodeForShow, maskBody, maskHeader } from '#src/live/mask.js'
import { observe } from '#src/live/observe.js'
import { watchChannels } from '#src/live/watch-channels.js'
import { readTokenAnswer } from '#src/live/token-answer.js'
import { receiptsApi } from '#src/receipts-api.js'
import { tellExchange } from '#src/storefront/tell-exchange.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'

t.test('displayed headers and bodies contain no secrets', async t => {
  const secret = Buffer.from('payment-service:s3cr%3At').toString('base64')
  t.strictSame(maskHeader('Authorization', `Basic ${secret}`), ['Authorization', 'Basic payment-service:•••'])
  t.notMatch(
    maskHeader('authorization', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl')[1],
    /c2ln|eyJzdWI/,
  )
  t.strictSame(maskHeader('cookie', 'cart=x'), ['cookie', '•••'])
  t.equal(
    maskBody(
      'client_assertion=aaa&client_secret=bbb&scope=a%20b&grant_type=client_credentials',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ),
    'grant_type=client_credentials\n&scope=a b\n&client_assertion=•••\n&client_secret=•••',
    'the requested grant and scope come first',
  )
  t.equal(decodeForShow('Bearer opaque'), undefined)
  t.equal(decodeForShow('Basic eyJh.eyJh.x'), undefined)
})

const outcomes = (checks: readonly Check[]): string[] =>
  checks.map(({ name, outcome }) => `${name}: ${outcome}`)

t.test('each check is listed with its result and its option', async t => {
  const audience = 'https://receipts.example'
  const issuer = await createTestIssuer({ audience })
  t.teardown(() => issuer.close())
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, { issuer: issuer.url, audience })
  app.get('/', { config: { oauth: { scopes: ['read'] } } }, async () => 'allowed')
  const seen: FastifyRequest[] = []
  let event: Partial<ResourceServerEvents['fastify-resource-server:deny']> = {}
  const note = (noted: typeof event): void => {
    event = noted
    seen.push(noted.request as FastifyRequest)
  }
  t.teardown(
    watchChannels<ResourceServerEvents>({
      'fastify-resource-server:allow': note,
      'fastify-resource-server:deny': note,
    }),
  )
  const checksFor = async (authorization?: string): Promise<readonly Check[]> => {
    await app.inject({ url: '/', headers: authorization === undefined ? {} : { authorization } })
    return checksOf(seen.at(-1) as FastifyRequest, event)
  }
  const passed = await checksFor(`Bearer ${await issuer.token({ audience, scopes: ['read'] })}`)
  t.ok(passed.length > 10)
  t.ok(
    passed.every(({ outcome, option, question }) => outcome === 'passed' && option !== '' && question !== ''),
  )
  const refused = await checksFor(
    `Bearer ${await issuer.token({ audience: 'https://other.example', scopes: ['write'] })}`,
  )
  t.strictSame(
    outcomes(refused).filter(line => !line.endsWith('passed')),
    ['audience: failed', 'scopes: failed'],
  )
  t.match(
    refused.find(({ name }) => name === 'audience'),
    {
      finding: /expected https:\/\/receipts.example: aud "https:\/\/other.example"/,
      refusal: 'it was issued for another service',
    },
  )
  for (let number = 0; number < 5; number += 1) {
    const kid = `unknown-${number}`
    const unknown = await checksFor(
      `Bearer ${await issuer.token({ audience, scopes: ['read'], header: { kid } })}`,
    )
    t.match(
      unknown.find(({ name }) => name === 'key'),
      { outcome: 'failed', finding: /has no key that matches the kid/ },
      'the finding is that of the request, although explanations may not ask the issuer that often',
    )
  }
  t.strictSame(outcomes(await checksFor()), ['token: failed'])
  t.strictSame(outcomes(await checksFor('Basic YTpi')), ['token: failed'])
  t.match(outcomes(await checksFor('Bearer opaque')), ['format: failed', 'algorithm: not reached'])
})

t.test('each exchange is described in plain sentences', async t => {
  const call = { ...exchange(1), from: 'payments', to: 'receipts' } as const
  const token = { id: 't1', header: {}, claims: { aud: 'https://other.example' }, cached: false }
  const refusal = 'it was issued for another service'
  const checks: Check[] = [
    { name: 'audience', question: '', outcome: 'failed', finding: '', refusal, option: 'audience' },
  ]
  t.equal(
    tellExchange({ ...call, token, checks, answer: { status: 401, durationMs: 1 } }),
    'The payment service calls the receipt service with its token, a new one. The receipt service refuses the token: it was issued for another service (audience).',
  )
  t.match(tellExchange({ ...call, token, failure: 'ECONNREFUSED' }), /It gets no answer\.$/)
  t.match(tellExchange({ ...call, token }), /The receipt service has not answered yet\.$/)
  t.match(tellExchange({ ...call, answer: { status: 401, durationMs: 1 } }), 'without a token')
  const toIssuer = { ...call, to: 'authorizationServer', method: 'POST', path: '/token' } as const
  t.match(tellExchange(toIssuer), 'has not answered yet')
  const answer = { status: 200, durationMs: 1 }
  const headers = [['authorization', 'Basic payment-service:•••']] as const
  const granted = { ...toIssuer, headers, tokenAnswer: { text: '{}', token }, answer }
  t.equal(
    tellExchange(granted),
    'The payment service asks the issuer for an access token by the Client Credentials Grant, and proves who it is by its secret. The issuer signs a token and returns it.',
  )
  t.match(
    tellExchange({ ...toIssuer, body: 'client_assertion=•••' }),
    'by a signed statement (private_key_jwt)',
  )
  const refused = { text: '{}', error: 'invalid_client' }
  t.match(
    tellExchange({ ...toIssuer, tokenAnswer: refused, answer: { status: 401, durationMs: 1 } }),
    /The issuer refuses: it does not accept the client’s credentials \(invalid_client\)\.$/,
  )
  t.match(
    tellExchange({ ...toIssuer, answer: { status: 401, durationMs: 1 } }),
    /The issuer refuses with 401\.$/,
  )
  t.match(tellExchange({ ...toIssuer, answer: { status: 503, durationMs: 1 } }), 'is unavailable')
  t.match(tellExchange({ ...toIssuer, method: 'GET', path: '/jwks' }), 'public keys')
})

const exchange = (id: number): Exchange => ({
  id,
  from: 'browser',
  to: 'storefront',
  method: 'GET',
  path: `/${id}`,
  startedAt: 0,
  visit: {},
  headers: [],
})

t.test('the journal keeps a limited number of exchanges and reports changes', async t => {
  const journal = createJournal()
  const told: number[] = []
  const unfollow = journal.follow(({ id }) => told.push(id))
  for (let id = 1; id <= 301; id += 1) journal.note(exchange(id))
  unfollow()
  journal.note(exchange(301))
  t.equal(journal.list().length, 300)
  t.equal(journal.list()[0]?.id, 2)
  t.equal(told.length, 301)
  t.equal(journal.list('250').length, 1, 'by the id in its path')
})

t.test('the journal keeps the request of a token longer than other exchanges', async t => {
  const journal = createJournal()
  const token = { id: 't1', header: {}, claims: {} }
  const source = { ...exchange(1), tokenAnswer: { text: '{}', token } }
  journal.note(source)
  for (let id = 2; id <= 400; id += 1) journal.note(exchange(id))
  const call = { ...exchange(401), token }
  t.notOk(journal.list().includes(source), 'it is not among the last ones')
  t.strictSame(journal.sourcesOf([call, call]), [source])
  t.strictSame(journal.sourcesOf([source, call]), [], 'none that is shown already')
  t.strictSame(journal.sourcesOf([{ ...call, token: { ...token, id: 'unknown' } }]), [])
  for (let id = 0; id < 100; id += 1)
    journal.note({ ...source, id, tokenAnswer: { text: '', token: { ...token, id: `u${id}` } } })
  t.equal(journal.sourceOf('t1'), undefined, 'the number of token requests is limited')
})

t.test('concurrent token requests of one service keep their own responses', async t => {
  // Answers the first request after the second.
  let answerFirst: (() => void) | undefined
  const issuer = createServer(async (request, response) => {
    const asked = new URLSearchParams(await text(request)).get('scope') ?? ''
    const answer = (): void => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ access_token: asked, token_type: 'Bearer', expires_in: 300, scope: asked }),
      )
    }
    if (asked === 'slow') answerFirst = answer
    else answer()
  }).listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  t.teardown(() => issuer.close())
  const { port } = issuer.address() as AddressInfo
  const ports = { storefront: 1, payments: 2, receipts: 3, authorizationServer: port }
  const journal = createJournal()
  t.teardown(observe(journal, loadConfig(ports)))
  const ask = (scope: string): Promise<Token> => {
    const client = createTokenClient({
      baseUrl: 'http://127.0.0.1:2',
      issuer: `http://127.0.0.1:${port}`,
      tokenEndpoint: `http://127.0.0.1:${port}/token`,
      clientId: 'payment-service',
      clientSecret: 'secret',
      scopes: [scope],
    })
    t.teardown(() => client.close())
    return inLane('payments', () => client.getToken())
  }
  const slow = ask('slow')
  while (answerFirst === undefined) await new Promise(setImmediate)
  await ask('quick')
  answerFirst()
  await slow

  t.strictSame(
    journal
      .list()
      .map(({ body, tokenAnswer }) => [
        /scope=(\w+)/.exec(body ?? '')?.[1],
        /"scope": "(\w+)"/.exec(tokenAnswer?.text ?? '')?.[1],
      ]),
    [
      ['slow', 'slow'],
      ['quick', 'quick'],
    ],
  )
  for (const odd of ['<html>', 'null', '[]', '"x"', '']) t.equal(readTokenAnswer(odd), undefined, odd)
  t.notMatch(
    readTokenAnswer('{"access_token":"secret-token-secret","token_type":"Bearer"}')?.text,
    'token-secret',
  )
  t.match(readTokenAnswer('{"error":"invalid_client"}'), { error: 'invalid_client' })
})

t.test('the flow of a purchase shows every request, token and check', async t => {
  const shop = await openShop(t)
  const { url, config } = shop
  // The first purchase may start before the services have tokens; the second one uses cached tokens.
  const first = await (await startBuying(url)).pay('test_visa')
  await pageWithReceipt(url + (first.headers.get('location') ?? ''))
  const order = await (await startBuying(url)).pay('test_visa')
  const id = order.headers.get('location')?.split('/').at(-1) ?? ''
  const page = await pageWithReceipt(`${url}/orders/${id}`)

  const rows = [...page.matchAll(/<li class="exchange (\w+)"[^]*?<\/details>/g)].map(([row, outcome]) => ({
    row,
    outcome,
  }))
  const titles = rows.map(({ row }) => /class="what">([^<]+)/.exec(row)?.[1])
  t.strictSame(
    titles.slice(0, 3),
    ['POST /token', 'POST /token', 'POST /orders'],
    'first the requests that brought the tokens, from before the order',
  )
  t.ok(titles.includes('POST /payments'))
  t.ok(titles.some(title => title?.startsWith('PUT /receipts/')))
  t.ok(rows.every(({ outcome }) => outcome === 'good'))
  t.notMatch(titles.join(), /GET \/(orders|payments)/, 'looking at the page is not part of it')
  t.match(page, 'That is the <strong>Client Credentials Grant</strong>')
  const request = rows.find(({ row }) => row.includes('Basic payment-service:•••'))?.row ?? ''
  t.match(request, /grant_type<\/code><\/dt><dd><code>client_credentials/)
  t.match(request, /scope<\/code><\/dt><dd><code>receipts:read receipts:write/)
  t.match(request, /resource<\/code><\/dt><dd><code>https:\/\/receipts\.bookstore\.example/)
  t.notMatch(request, /user-agent|sec-fetch|accept-encoding/, 'without the headers of the HTTP library')
  t.match(request, /&quot;expires_in&quot;: 300/)
  t.match(request, /aud<\/code><\/dt><dd><code>https:\/\/receipts\.bookstore\.example/)
  const requestId = /id="(x\w+-\d+)"/.exec(request)?.[1]
  const receipt = rows.find(({ row }) => row.includes('PUT /receipts/'))?.row ?? ''
  t.match(receipt, 'cached token')
  t.match(
    receipt,
    `href="#${requestId}-in">Show that token request`,
    'the request that brought the cached token',
  )
  t.match(
    receipt,
    /The service got this token at \d\d:\d\d:\d\d and uses it until shortly before \d\d:\d\d:\d\d/,
  )
  t.match(receipt, '&quot;client_id&quot;: &quot;payment-service&quot;')
  t.match(receipt, 'aud &quot;https://receipts.bookstore.example&quot;')
  t.match(receipt, 'scopes, roles and audience')
  t.match(
    receipt,
    'The payment service calls the receipt service with its token, the one it already has (cached).',
  )
  t.match(receipt, 'Was it issued for this service?')
  t.match(receipt, /<strong>201<\/strong> after \d+ ms/)

  const live = await (await fetch(`${url}/live`)).text()
  t.match(live, 'POST /token')
  t.match(live, 'grant_type=client_credentials')
  t.match(live, 'GET /jwks')
  t.match(live, 'client_assertion=•••')
  for (const secret of [
    config.payments.receipts.clientSecret ?? '?',
    'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dC',
  ])
    t.notMatch(live, secret)
  t.notMatch(live, /eyJ[\w-]+\.eyJ[\w-]+/)

  await t.test('the flow of an order does not contain other orders', async t => {
    const other = await (await startBuying(url)).pay('test_visa')
    const otherPage = await (await fetch(url + (other.headers.get('location') ?? ''))).text()
    t.notMatch(otherPage.slice(otherPage.indexOf('<token-flow')), id)
  })

  await t.test('events contain the HTML of new exchanges', async t => {
    const stream = await fetch(`${url}/live/events`)
    t.equal(stream.headers.get('content-type'), 'text/event-stream')
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(text)) text += (await reader?.read())?.value ?? ''
    }
    await until(/PUT \/receipts/)
    text = ''
    const client = createTokenClient(clientOptions(config.payments.receipts, receiptsApi.pick('readReceipt')))
    t.teardown(() => client.close())
    await (await client.request({ method: 'PUT', path: `/receipts/${id}` })).body.dump()
    await until(/insufficient_scope/)
    t.match(text, /class="failed"><strong>scope/)
    await reader?.cancel()
  })

  await t.test('the token flow is only served to this machine', async t => {
    const { port } = config.storefront
    for (const path of ['/live', '/live/events']) {
      const foreign = await shop.storefront.inject({ url: path, headers: { host: `shop.example:${port}` } })
      t.equal(foreign.statusCode, 404, `${path} under a name that somebody points here`)
      const remote = await shop.storefront.inject({
        url: path,
        remoteAddress: '192.0.2.7',
        headers: { host: 'localhost' },
      })
      t.equal(remote.statusCode, 404, `${path} from another machine`)
    }
    const path = `/orders/${id}`
    t.match((await shop.storefront.inject({ url: path, headers: { host: 'localhost' } })).body, '<token-flow')
    for (const from of [
      { headers: { host: `shop.example:${port}` } },
      { remoteAddress: '192.0.2.7', headers: { host: 'localhost' } },
    ]) {
      const { statusCode, body } = await shop.storefront.inject({ url: path, ...from })
      t.equal(statusCode, 200, 'an order is everybody’s who has its address')
      t.match(body, 'Download the PDF')
      t.notMatch(body, /<token-flow|eyJ|client_id|href="\/live/, 'the token flow is hidden')
    }
  })
})
