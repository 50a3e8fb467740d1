import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { createTestIssuer } from 'oauth-test-issuer'
import fastify from 'fastify'
import type { ApiUse } from 'fastify-api-contract'
import tokenClient, { createTokenClient } from 'fastify-token-client'
import t from 'tap'
import { extractText, getDocumentProxy } from 'unpdf'
import '#src/authorization-server/app.js'
import '#src/storefront/app.js'
import { books } from '#src/catalogue.js'
import { clientOptions } from '#src/client-options.js'
import type { CallsWith } from '#src/config.js'
import { loadConfig } from '#src/load-config.js'
import { paymentsApi, usedPayments } from '#src/payments-api.js'
import { chooseFreePorts } from '#src/ports.js'
import { receiptsApi } from '#src/receipts-api.js'
import { watchTokens } from '#src/token-flow.js'
import { startBuying } from './buyer.js'
import { copyDatabase } from './database-template.js'
import { openShop, type Shop } from './open-shop.js'
import { until } from './until.js'

const [book] = books
if (book === undefined) throw new Error('no books')

async function buy({ url }: Shop, method: string): Promise<Response> {
  return (await startBuying(url)).pay(method)
}

function receiptOf(shop: Shop, order: string): Promise<Uint8Array> {
  return until('the receipt', async () => {
    const answer = await fetch(`${shop.url}${order}/receipt.pdf`)
    const body = await answer.arrayBuffer()
    return answer.status === 200 && new Uint8Array(body)
  })
}

t.test('a purchase uses two tokens over HTTP and ends with a receipt', async t => {
  const shop = await openShop(t)
  const { tokensIssued = new Map<string, number>() } = shop.authorizationServer ?? {}

  const bought = await buy(shop, 'test_visa')
  t.equal(bought.status, 303)
  const pdf = await receiptOf(shop, bought.headers.get('location') ?? '')
  const { text } = await extractText(await getDocumentProxy(pdf), { mergePages: true })
  t.match(text, book.title)
  t.match(text, (book.price / 100).toFixed(2))
  t.match(text, /VAT/)
  t.match(text, /7(\.0+)? ?%/)
  t.match(text, 'reader@example.com')

  t.strictSame(Object.fromEntries(tokensIssued), { storefront: 1, 'payment-service': 1 })
  const again = await buy(shop, 'test_visa')
  await receiptOf(shop, again.headers.get('location') ?? '')
  t.strictSame(
    Object.fromEntries(tokensIssued),
    { storefront: 1, 'payment-service': 1 },
    'the second purchase uses the cached tokens',
  )

  await t.test('declined payments get no receipt', async t => {
    const called: string[] = []
    const stopWatching = watchTokens(({ kind, text }) => kind === 'sent' && called.push(text))
    t.teardown(stopWatching)
    for (const method of ['test_declined', 'test_insufficient_funds']) {
      const declined = await buy(shop, method)
      t.equal(declined.status, 402, method)
      t.match(await declined.text(), /declined|funds/i)
    }
    t.match(called, [/^POST \/payments/, /^POST \/payments/], 'the receipt service is not called')
    t.equal(called.length, 2)
  })

  await t.test('each service refuses tokens for other services', async t => {
    const { payments, receipts } = shop.config
    const services = [
      {
        name: 'payment service',
        url: payments.receipts.baseUrl.replace(/\d+$/, String(payments.port)),
        path: '/payments',
        own: shop.config.storefront.payments,
      },
      {
        name: 'receipt service',
        url: payments.receipts.baseUrl,
        path: `/receipts/${randomUUID()}`,
        own: payments.receipts,
      },
    ]
    const [paymentService, receiptService] = services as [(typeof services)[0], (typeof services)[0]]
    const ask = async ({ url, path }: (typeof services)[0], token: string | undefined) =>
      fetch(url + path, {
        method: path === '/payments' ? 'POST' : 'GET',
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          'content-type': 'application/json',
        },
        ...(path === '/payments' ? { body: '{}' } : {}),
      })
    for (const service of services) {
      const none = await ask(service, undefined)
      t.equal(none.status, 401, `${service.name}: no token`)
      t.match(none.headers.get('www-authenticate'), /^Bearer/)
    }

    const tokenFor = async (own: CallsWith, used: ApiUse): Promise<string> => {
      const client = createTokenClient(clientOptions(own, used))
      t.teardown(() => client.close())
      return (await client.getToken()).accessToken
    }
    const forPayments = await tokenFor(paymentService.own, paymentsApi.pick('find'))
    const forReceipts = await tokenFor(receiptService.own, receiptsApi.pick('issueReceipt'))
    t.equal(
      (await ask(receiptService, forPayments)).status,
      401,
      'the token for payments at the receipt service',
    )
    t.equal(
      (await ask(paymentService, forReceipts)).status,
      401,
      'the token for receipts at the payment service',
    )
    for (const [service, token] of [
      [paymentService, forPayments],
      [receiptService, forReceipts],
    ] as const) {
      const refused = await ask(service, token)
      t.equal(refused.status, 403, `${service.name}: without the scope`)
      t.match(refused.headers.get('www-authenticate'), 'insufficient_scope')
    }

    await using stranger = await createTestIssuer()
    for (const [service, audience, scopes] of [
      [paymentService, payments.audience, ['payments:write']],
      [receiptService, receipts.audience, ['receipts:read']],
    ] as const) {
      const foreign = await stranger.token({
        audience,
        scopes,
        claims: { iss: shop.config.authorizationServer.issuer },
      })
      t.equal((await ask(service, foreign)).status, 401, `${service.name}: a token that somebody else signed`)
    }
  })
})

t.test('without keys, a service answers 503 instead of 401', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await copyDatabase(join(folder, 'database'))
  const config = loadConfig(await chooseFreePorts(), { DEMO_FOLDER: folder, LOG_LEVEL: 'silent' })
  // A token that is valid except for its signature, which cannot be verified without keys.
  await using issuer = await createTestIssuer()
  const accessToken = await issuer.token({
    audience: config.receipts.audience,
    scopes: ['receipts:read'],
    claims: { iss: config.receipts.issuer },
  })
  const { buildReceiptService } = await import('#src/receipt-service/app.js')
  const alone = await buildReceiptService(config.receipts)
  t.teardown(() => alone.close())
  const answer = await alone.inject({
    url: `/receipts/${randomUUID()}`,
    headers: { authorization: `Bearer ${accessToken}` },
  })
  t.equal(answer.statusCode, 503)
  t.ok(Number(answer.headers['retry-after']) > 0)

  const caller = fastify()
  t.teardown(() => caller.close())
  await caller.register(tokenClient, {
    name: 'payments',
    ...clientOptions(config.storefront.payments, usedPayments),
    prefetch: 'lazy',
  })
  await t.rejects(caller.payments.request({ path: '/payments' }), {
    statusCode: 503,
    code: 'TOKEN_CLIENT_UNAVAILABLE',
  })
})
