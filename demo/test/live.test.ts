import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createTokenClient, type Token } from 'fastify-token-client'
import t from 'tap'
import { loadConfig } from '#src/load-config.js'
import { checksOf } from '#src/live/checks.js'
import type { Exchange } from '#src/live/exchange.js'
import { inLane } from '#src/live/lanes.js'
import { createJournal } from '#src/live/journal.js'
import { tellGrant } from '#src/live/grant.js'
import { decodeForShow, maskBody, maskHeader } from '#src/live/mask.js'
import { observe } from '#src/live/observe.js'
import { tellExchange } from '#src/storefront/tell-exchange.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'

t.test('what is shown holds no secret', async t => {
  const secret = Buffer.from('payment-service:s3cr%3At').toString('base64')
  t.strictSame(maskHeader('Authorization', `Basic ${secret}`), ['Authorization', 'Basic payment-service:•••'])
  t.notMatch(
    maskHeader('authorization', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl')[1],
    /c2ln|eyJzdWI/,
  )
  t.strictSame(maskHeader('cookie', 'cart=x'), ['cookie', '•••'])
  t.equal(
    maskBody(
      'grant_type=client_credentials&client_assertion=aaa&client_secret=bbb&scope=a%20b',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ),
    'grant_type=client_credentials\n&client_assertion=•••\n&client_secret=•••\n&scope=a b',
  )
  t.equal(decodeForShow('Bearer opaque'), undefined)
  t.equal(decodeForShow('Basic eyJh.eyJh.x'), undefined)
})

t.test('each step of verification has its line, and the option that configures it', async t => {
  const token = {
    header: { alg: 'ES256', typ: 'at+jwt', kid: 'k1' },
    claims: { aud: 'https://other.example' },
  }
  const passed = checksOf({ allowed: true }, token)
  t.ok(passed.every(check => check.outcome === 'passed' && check.option !== ''))
  const refused = checksOf(
    { allowed: false, reason: 'audience', detail: 'aud names none of https://a.example' },
    token,
  )
  t.match(
    refused.map(check => [check.name, check.outcome]),
    [
      ['token', 'passed'],
      ['signature', 'passed'],
      ['type', 'passed'],
      ['claims', 'passed'],
      ['issuer', 'passed'],
      ['time', 'passed'],
      ['audience', 'failed'],
      ['scope', 'not reached'],
    ],
  )
  t.match(refused[6]?.finding, /aud names none of https:\/\/a.example: aud is https:\/\/other.example/)
  t.match(checksOf({ allowed: false, reason: 'missing', detail: undefined }, undefined)[0], {
    outcome: 'failed',
  })
})

t.test('each exchange is told in plain sentences', async t => {
  const call = { ...exchange(1), from: 'payments', to: 'receipts' } as const
  const token = { header: {}, claims: { aud: 'https://other.example' }, cached: false }
  const checks = checksOf({ allowed: false, reason: 'audience', detail: undefined }, token)
  t.equal(
    tellExchange({ ...call, token, checks, answer: { status: 401, durationMs: 1 } }),
    'The payment service calls the receipt service and shows its token, a new one. The receipt service refuses: “Is it meant for this service?” No.',
  )
  t.match(tellExchange({ ...call, token, failure: 'ECONNREFUSED' }), /Nobody answers\.$/)
  t.match(tellExchange({ ...call, token }), /The receipt service has not answered yet\.$/)
  t.match(tellExchange({ ...call, answer: { status: 401, durationMs: 1 } }), 'without a token')
  const toIssuer = { ...call, to: 'authorizationServer', method: 'POST', path: '/token' } as const
  t.match(tellExchange({ ...toIssuer, grant: 'receipts:write' }), 'has not answered yet')
  const granted = { ...toIssuer, grant: 'receipts:write', answer: { status: 200, durationMs: 1 } }
  t.equal(
    tellExchange(granted),
    'The payment service proves who it is to the issuer, and asks for an access token. The issuer signs one and hands it over.',
  )
  t.match(tellExchange({ ...toIssuer, answer: { status: 401, durationMs: 1 } }), /The issuer says no\.$/)
  t.match(tellExchange({ ...toIssuer, answer: { status: 503, durationMs: 1 } }), 'cannot do it now')
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

t.test('the journal keeps a bounded number, and tells each change', async t => {
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

t.test('token requests of one service that run at the same time have each their own grant', async t => {
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
    journal.list().map(({ body, grant }) => [/scope=(\w+)/.exec(body ?? '')?.[1], grant?.split(';')[0]]),
    [
      ['slow', 'slow, for 300 s'],
      ['quick', 'quick, for 300 s'],
    ],
  )
  t.equal(tellGrant('<html>'), undefined)
  t.notMatch(tellGrant('{"access_token":"secret","token_type":"Bearer"}'), 'secret')
})

t.test('a purchase is seen from the browser to the receipt, with each token and its checks', async t => {
  const shop = await openShop(t)
  const { url, config } = shop
  // Whoever is quick buys before the services have their first tokens; the second purchase finds them.
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
  t.match(titles.slice(0, 1), ['POST /orders'])
  t.ok(titles.includes('POST /payments'))
  t.ok(titles.some(title => title?.startsWith('PUT /receipts/')))
  t.ok(
    rows.slice(0, -2).every(({ outcome }) => outcome === 'good'),
    'the last two are this very request',
  )
  const receipt = rows.find(({ row }) => row.includes('PUT /receipts/'))?.row ?? ''
  t.match(receipt, 'cached token')
  t.match(receipt, '&quot;client_id&quot;: &quot;payment-service&quot;')
  t.match(receipt, 'aud is https://receipts.bookstore.example')
  t.match(receipt, 'route: config.oauth.scopes')
  t.match(
    receipt,
    'The payment service calls the receipt service and shows its token, one that it had at hand.',
  )
  t.match(receipt, 'Is it meant for this service?')
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

  await t.test('another order is another story', async t => {
    const other = await (await startBuying(url)).pay('test_visa')
    const otherPage = await (await fetch(url + (other.headers.get('location') ?? ''))).text()
    t.notMatch(otherPage.slice(otherPage.indexOf('<token-flow')), id)
  })

  await t.test('events tell what comes, as the HTML that stands for it', async t => {
    const stream = await fetch(`${url}/live/events`)
    t.equal(stream.headers.get('content-type'), 'text/event-stream')
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(text)) text += (await reader?.read())?.value ?? ''
    }
    await until(/PUT \/receipts/)
    text = ''
    const client = createTokenClient({ ...config.payments.receipts, scopes: ['receipts:read'] })
    t.teardown(() => client.close())
    await (await client.request({ method: 'PUT', path: `/receipts/${id}` })).body.dump()
    await until(/insufficient_scope/)
    t.match(text, /class="failed"><strong>scope/)
    await reader?.cancel()
  })

  await t.test('for this machine only', async t => {
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
      t.notMatch(body, /<token-flow|eyJ|client_id|href="\/live/, 'what goes on behind it is not')
    }
  })
})
