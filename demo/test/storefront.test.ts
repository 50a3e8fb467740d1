import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTokenClient } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { books } from '#src/catalogue.js'
import { loadConfig } from '#src/load-config.js'
import { usedPayments } from '#src/payments-api.js'
import { buildStorefront } from '#src/storefront/app.js'
import {
  addToCart,
  cartCount,
  cartLines,
  cartTotal,
  readCart,
  setQuantity,
  writeCart,
} from '#src/storefront/cart.js'
import { cover } from '#src/storefront/covers/cover.js'
import { loopbackOnly } from '#src/storefront/loopback-only.js'
import { createPaymentsApi, type PaymentsApi } from '#src/storefront/payments-api.js'
import { readTrustProxy } from '#src/trust-proxy.js'
import fastify, { type FastifyInstance } from 'fastify'

const ports = { storefront: 1, payments: 1, receipts: 1, authorizationServer: 1 }

/** Opens the shop without the other services. */
async function openAlone(t: Test): Promise<FastifyInstance> {
  const shop = await buildStorefront(loadConfig(ports, { LOG_LEVEL: 'silent' }).storefront)
  t.teardown(() => shop.close())
  return shop
}

const [first, second] = books
if (first === undefined || second === undefined) throw new Error('no books')
const form = { 'content-type': 'application/x-www-form-urlencoded' }

t.test('a cart', async t => {
  let cart = addToCart(readCart(undefined), first.sku)
  cart = addToCart(addToCart(cart, first.sku), second.sku, 3)
  t.equal(cartCount(cart), 5)
  t.equal(cartTotal(cartLines(cart)), first.price * 2 + second.price * 3)
  t.strictSame([...readCart(writeCart(cart))], [...cart], 'goes into a cookie and comes back')
  t.strictSame([...setQuantity(cart, first.sku, 0).keys()], [second.sku], 'none takes a book out')
  t.equal(addToCart(cart, first.sku, 1000).get(first.sku), 99, 'there is a bound')
  for (const nonsense of ['', 'B-1001', 'B-1001*-2', 'B-1001*x', 'B-0000*1', '*', '__proto__*1'])
    t.equal(cartCount(readCart(nonsense)), 0, nonsense)
})

t.test('each book has a different cover, which never changes', async t => {
  const covers = books.map(book => cover(book))
  t.equal(new Set(covers).size, books.length)
  t.strictSame(
    covers,
    books.map(book => cover(book)),
  )
  t.notMatch(cover({ sku: 'x', title: '<script>', author: 'a & "b"' }), /<script>|& /)
})

t.test('pages load nothing from other hosts and contain no inline scripts', async t => {
  const shop = await openAlone(t)
  for (const url of ['/', '/cart', '/nowhere']) {
    const { headers, body } = await shop.inject(url)
    t.match(headers['content-security-policy'], /^default-src 'none';/)
    t.notMatch(headers['content-security-policy'], /unsafe|https?:|data:/)
    t.notMatch(body, /(?:src|href|action)="(?:https?:)?\/\//, `${url} refers to no other host`)
    t.notMatch(body, /\sstyle=|\son\w+=|<script>|<style/, `${url} has nothing inline`)
    for (const [, path = ''] of body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const asset = await shop.inject(path)
      t.equal(asset.statusCode, 200, path)
      t.match(asset.headers['cache-control'], 'immutable')
      for (const [, font = ''] of asset.body.matchAll(/url\('([^']+)'\)/g))
        t.equal(
          body.includes(font) || font.startsWith('figtree'),
          true,
          `${font} is the font that is preloaded`,
        )
      const bare = await shop.inject(path.split('?')[0] ?? '')
      t.notMatch(bare.headers['cache-control'], 'immutable', 'another version may come under this address')
    }
  }
})

t.test('a cart with an invalid signature counts as empty', async t => {
  const shop = await openAlone(t)
  const added = await shop.inject({
    method: 'POST',
    url: '/cart',
    headers: form,
    payload: `sku=${first.sku}`,
  })
  t.equal(added.statusCode, 303)
  const cookie = String(added.headers['set-cookie'])
  t.match(cookie, /HttpOnly/)
  t.match(cookie, /SameSite=Lax/)
  const [pair = ''] = cookie.split(';')
  t.match((await shop.inject({ url: '/cart', headers: { cookie: pair } })).body, first.title)
  const forged = pair.replace('B-1001', 'B-1002')
  t.not(forged, pair)
  const { body } = await shop.inject({ url: '/cart', headers: { cookie: forged } })
  t.match(body, 'Your cart is empty')
})

t.test('forms of other sites are refused', async t => {
  const shop = await openAlone(t)
  const post = (headers: Record<string, string>) =>
    shop.inject({
      method: 'POST',
      url: '/cart',
      headers: { ...form, ...headers },
      payload: `sku=${first.sku}`,
    })
  t.equal((await post({ 'sec-fetch-site': 'cross-site' })).statusCode, 403)
  t.equal((await post({ 'sec-fetch-site': 'same-site' })).statusCode, 403, 'another port of this machine')
  t.equal((await post({ origin: 'https://elsewhere.example' })).statusCode, 403)
  t.equal((await post({ origin: 'null' })).statusCode, 403)
  t.equal((await post({ 'sec-fetch-site': 'same-origin' })).statusCode, 303)
  t.equal((await post({ origin: 'http://localhost:81', host: 'localhost:81' })).statusCode, 303)
})

t.test('invalid input is answered with an error page', async t => {
  const shop = await openAlone(t)
  for (const payload of ['sku=nothing', `sku=${first.sku}&price=1`, '', 'sku=B-1001&sku=B-1002'])
    t.equal(
      (await shop.inject({ method: 'POST', url: '/cart', headers: form, payload })).statusCode,
      400,
      payload,
    )
  for (const url of ['/%zz', '/%ff', '/orders/%']) {
    const undecodable = await shop.inject(url)
    t.equal(undecodable.statusCode, 404, url)
    t.match(undecodable.body, 'Page not found')
    t.match(undecodable.headers['content-security-policy'], /^default-src 'none'/)
  }
  const nowhere = await shop.inject('/orders/not-a-uuid')
  t.equal(nowhere.statusCode, 404, 'an invalid id is not a page')
  t.match(nowhere.headers['content-type'], /^text\/html/)
  for (const [headers, payload, status] of [
    [{ 'content-type': 'application/json' }, `{"sku":"${first.sku}"}`, 303],
    [{ 'content-type': 'application/xml' }, '<sku/>', 415],
    [form, `sku=${'x'.repeat(20_000)}`, 413],
  ] as const) {
    const answer = await shop.inject({ method: 'POST', url: '/cart', headers, payload })
    t.equal(answer.statusCode, status)
    if (status !== 303) t.match(answer.body, 'Please check the form', 'it is not the shop that failed')
  }
  const added = await shop.inject({
    method: 'POST',
    url: '/cart',
    headers: form,
    payload: `sku=${first.sku}`,
  })
  const [cookie = ''] = String(added.headers['set-cookie']).split(';')
  const order = '8d9a1c8c-0f5c-4e7b-9d3e-2f6a2c1b0a99'
  const down = await shop.inject({
    method: 'POST',
    url: '/orders',
    headers: { ...form, cookie },
    payload: `email=reader%40example.com&method=test_visa&order=${order}&cart=${first.sku}*1`,
  })
  t.equal(down.statusCode, 503, 'no other service is running')
  t.match(down.body, `value="${order}"`, 'paying again is the same payment')
  t.match(down.body, 'charged once')
  t.notOk(down.headers['set-cookie'], 'the cart stays')
})

t.test('payment attempts are limited', async t => {
  const shop = await openAlone(t)
  const pay = () => shop.inject({ method: 'POST', url: '/orders', headers: form, payload: 'x=1' })
  for (let attempt = 0; attempt < 60; attempt += 1) t.equal((await pay()).statusCode, 400)
  const stopped = await pay()
  t.equal(stopped.statusCode, 429)
  t.match(stopped.body, 'Too many requests')
  t.ok(Number(stopped.headers['retry-after']) > 0)
})

t.test('behind a trusted proxy each buyer has a separate rate limit', async t => {
  const config = loadConfig(ports, { LOG_LEVEL: 'silent', TRUST_PROXY: '192.0.2.10' })
  const shop = await buildStorefront(config.storefront)
  t.teardown(() => shop.close())
  const left = async (remoteAddress: string, buyer: string): Promise<number> => {
    const { headers } = await shop.inject({
      url: '/',
      remoteAddress,
      headers: { 'x-forwarded-for': buyer },
    })
    return Number(headers['x-ratelimit-remaining'])
  }
  const all = await left('192.0.2.10', '203.0.113.1')
  t.equal(await left('192.0.2.10', '203.0.113.2'), all, 'another buyer')
  t.equal(
    await left('192.0.2.10', '203.0.113.9, 203.0.113.2'),
    all - 1,
    'a client that sends X-Forwarded-For itself',
  )
  t.equal(await left('198.51.100.7', '203.0.113.3'), all)
  t.equal(await left('198.51.100.7', '203.0.113.4'), all - 1, 'a client that bypasses the proxy')
})

t.test('a trusted proxy cannot open pages that are restricted to this machine', async t => {
  const app = fastify({ trustProxy: '192.0.2.10' })
  app.addHook('onRequest', loopbackOnly)
  app.get('/', async () => 'here')
  const ask = async (remoteAddress: string) =>
    (
      await app.inject({
        url: '/',
        remoteAddress,
        headers: { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
      })
    ).statusCode
  t.equal(await ask('127.0.0.1'), 200)
  t.equal(await ask('192.0.2.10'), 404)
})

t.test('TRUST_PROXY accepts addresses and networks of proxies', async t => {
  t.strictSame(readTrustProxy({}), {})
  t.strictSame(readTrustProxy({ TRUST_PROXY: '' }), {})
  for (const right of ['loopback', '10.0.0.0/8, fd00::1', '::1/128'])
    t.strictSame(readTrustProxy({ TRUST_PROXY: right }), { trustProxy: right })
  for (const wrong of ['true', '1', 'proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.1,,'])
    t.throws(() => readTrustProxy({ TRUST_PROXY: wrong }), {
      name: 'Error',
      message: new RegExp(`^TRUST_PROXY is "${wrong}"; expected the proxies' addresses or networks`),
    })
})

/** Returns the storefront's client of the payment service, connected to a replacement. */
async function callInstead(t: Test, listener: RequestListener): Promise<PaymentsApi> {
  const { audience, scopes } = usedPayments
  const issuer = await createTestIssuer()
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = createTokenClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    issuer: issuer.url,
    ...issuer.registerClient({ clientId: 'storefront', audience, scopes }),
    api: usedPayments,
  })
  t.teardown(async () => {
    await client.close()
    await issuer.close()
    server.close()
  })
  return createPaymentsApi(client)
}

t.test('a purchase succeeds although a process of the payment service ends', async t => {
  const order = { items: [{ sku: first.sku, quantity: 1 }], currency: 'EUR', locale: 'en-IE' }
  const paid = {
    paymentId: randomUUID(),
    status: 'paid',
    currency: 'EUR',
    total: 1,
    lines: [],
    vat: [],
    createdAt: new Date().toISOString(),
  }
  const pay = (api: PaymentsApi) => api.pay(order, { email: 'reader@example.com' }, 'test_visa', 'the-key')
  for (const [what, end] of [
    ['it closes and takes no more', (_, response) => response.writeHead(503).end()],
    ['it is killed', request => request.socket.destroy()],
  ] satisfies [string, RequestListener][]) {
    const keys: unknown[] = []
    const api = await callInstead(t, (request, response) => {
      keys.push(request.headers['idempotency-key'])
      if (keys.length === 1) end(request, response)
      else response.writeHead(201).end(JSON.stringify(paid))
    })
    t.match(await pay(api), { status: 201, body: paid }, what)
    t.strictSame(keys, ['the-key', 'the-key'], 'asked again with the same key, so that it is one payment')
  }

  let asked = 0
  const down = await callInstead(t, (_, response) => {
    asked += 1
    response.writeHead(503).end('{}')
  })
  await t.rejects(
    pay(down),
    { code: 'API_CONTRACT_UNEXPECTED_ANSWER', status: 503 },
    'a lasting outage is reported to the buyer',
  )
  t.equal(asked, 2)
})
