import { request } from 'node:http'
import { connect } from 'node:net'
import { channel } from 'node:diagnostics_channel'
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { decodeForShow, maskHeader } from '#src/live/mask.js'
import { watchChannels } from '#src/live/watch-channels.js'
import { watchTokens } from '#src/token-flow.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'
import { seeded } from './seeded.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Returns a random `Authorization` header, from a plausible token to noise. */
function randomAuthorization(random: () => number): string {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  const noise = (): string =>
    Array.from({ length: Math.floor(random() * 40) }, () =>
      String.fromCharCode(pick([0x21, 0x25, 0x2e, 0x41, 0x7e, 0xe9, 0xff]) - Math.floor(random() * 2)),
    ).join('')
  const values = [null, [], {}, 0, -1, 1e20, -1e20, 'x', true, { exp: 1e20 }, { aud: [null] }, { exp: 'now' }]
  const claims = { iss: pick(values), aud: pick(values), exp: pick([1e20, ...values]), scope: pick(values) }
  const token = (): string =>
    pick([
      [part(pick(values)), part(pick(values)), 'x'].join('.'),
      [part({ alg: pick(['none', 'ES256', 1]), kid: pick(values), typ: 'at+jwt' }), part(claims), ''].join(
        '.',
      ),
      [part(pick(values)), noise(), noise()].join('.'),
      noise(),
    ])
  return pick([
    () => `Bearer ${token()}`,
    () => `DPoP ${token()}`,
    () => `Basic ${base64(pick(['%:', '100%:pw', '%e9:%', ':', '', noise()]))}`,
    () => `Basic ${noise()}`,
    () => `${noise()} ${token()}`,
    () => noise(),
  ])()
}

function randomPath(random: () => number): string {
  const paths = ['/', '/%zz', '/%ff', '/token', '/jwks', '/receipts', `/receipts/${randomUUID()}`]
  const others = [`/payments/${randomUUID()}`, '/payments', '/live', '/live/events?order=x', '/orders/%00']
  const all = [...paths, ...others, '//', '/?%', `/${'a'.repeat(2_000)}`, '/..%2f..%2f', '/docs', '/\u00e9']
  return all[Math.floor(random() * all.length)] ?? '/'
}

/** @returns the status; 0 if the connection was closed */
function send(port: number, path: string, authorization: string, method: string): Promise<number> {
  return new Promise(resolve => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { authorization }, agent: false })
    sent.once('response', response => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    sent.once('error', () => resolve(0))
    sent.end(method === 'POST' ? 'grant_type=client_credentials&scope=%zz' : undefined)
  })
}

t.test('the shop answers 500 random requests to its four ports and keeps working', async t => {
  const { url, config } = await openShop(t)
  const steps: string[] = []
  t.teardown(watchTokens(({ text }) => steps.push(text)))
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))

  const random = seeded(20_261_129)
  const services = [config.storefront, config.payments, config.receipts, config.authorizationServer]
  const requests = Array.from({ length: 500 }, (_, index) => ({
    port: services[index % services.length]?.port ?? 0,
    path: randomPath(random),
    authorization: randomAuthorization(random),
    method: random() < 0.25 ? 'POST' : 'GET',
  }))
  // Each of these requests ended all four services in an earlier version.
  const known = [
    'Basic JTo=',
    'Bearer bnVsbA.bnVsbA.x',
    `Bearer ${part({ alg: 'none' })}.${part({ exp: 1e20 })}.`,
  ]
  for (const { port } of services)
    for (const authorization of known)
      requests.push({ port, path: `/receipts/${randomUUID()}`, authorization, method: 'GET' })

  const wrong: unknown[] = []
  const sender = async (): Promise<void> => {
    for (let one = requests.pop(); one !== undefined; one = requests.pop()) {
      const status = await send(one.port, one.path, one.authorization, one.method)
      if (status === 0 || status >= 500) wrong.push({ ...one, status })
    }
  }
  await Promise.all(Array.from({ length: 8 }, sender))
  t.strictSame(wrong, [], 'none is cut off, and none finds a fault of ours')
  await new Promise<void>(resolve => {
    const socket = connect(config.storefront.port, '127.0.0.1', () =>
      socket.end('\u0000\u0001 not HTTP\r\n\r\n'),
    )
    socket
      .once('close', () => resolve())
      .once('error', () => {})
      .resume()
  })

  const order = await (await startBuying(url)).pay('test_visa')
  const page = await pageWithReceipt(url + (order.headers.get('location') ?? ''))
  t.match(page, 'PUT /receipts/', 'the flow still shows a purchase')
  t.equal((await fetch(`${url}/live`)).status, 200, 'with everything that was sent')
  t.ok(steps.length > 0)
  t.strictSame(warnings, [], 'no subscriber threw an error')
})

t.test('a failing subscriber only loses its event', async t => {
  const warned = new Promise<Error>(resolve => process.once('warning', resolve))
  let seen = 0
  const stopWatching = watchChannels<{ 'demo:test': { secret: string } }>({
    'demo:test': ({ secret }) => {
      seen += 1
      throw new TypeError(secret)
    },
  })
  for (let turn = 0; turn < 3; turn += 1) channel('demo:test').publish({ secret: 'token-123' })
  t.equal(seen, 3)
  const { message } = await warned
  t.match(message, /^A subscriber of demo:test failed with TypeError at .*\. The process continues\.$/)
  t.notMatch(message, 'token-123')
  stopWatching()
  channel('demo:test').publish({ secret: '' })
  t.equal(seen, 3)
})

t.test('tokens with unusual claims can be displayed', async t => {
  for (const odd of ['bnVsbA.bnVsbA.x', 'W10.W10.x', '..', 'e30', 'e30.W10.', 'MQ.MQ.MQ'])
    t.equal(decodeForShow(`Bearer ${odd}`), undefined, odd)
  t.match(decodeForShow('Bearer e30.e30.'), { id: /^[0-9a-f]{16}$/, header: {}, claims: {} })
  t.strictSame(maskHeader('authorization', 'Basic JTo='), ['authorization', 'Basic %:•••'])
})
