import t from 'tap'
import { switches } from '#src/faults/switches.js'
import { openShop } from './open-shop.js'

const effectOf = (page: string): string => /id="effect"[^]*?<\/div>/.exec(page)?.[0] ?? ''
const orderIn = (page: string): string => /href="(\/orders\/[^"]+)"/.exec(effectOf(page))?.[1] ?? ''
/** The rows of one order, and the token requests. */
const flowSince = (page: string, order: string): string =>
  page
    .slice(page.indexOf('<token-flow'))
    .split('<li class="exchange')
    .slice(1)
    .filter(row => row.includes(order.split('/')[2] ?? '?') || row.includes('/token'))
    .join('')

const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}/live/switches`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })

t.test('what is broken has its effect at once, and heals', async t => {
  const { url } = await openShop(t)

  /** Flips a switch on the page; resolves to what the page says then. */
  async function flip(name: string, wanted: 'break' | 'heal'): Promise<string> {
    const answer = await post(url, { name, wanted })
    t.equal(answer.status, 303, `${wanted} ${name}`)
    return (await fetch(`${url}/live`)).text()
  }
  async function receiptArrives(order: string): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt += 1) {
      if ((await (await fetch(url + order)).text()).includes('Download the PDF')) return
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`no receipt for ${order}`)
  }

  const waits: [name: string, ...seen: RegExp[]][] = [
    [
      'wrong-audience',
      /aud names none of https:\/\/receipts\.bookstore\.example/,
      /error=(&quot;|")invalid_token/,
    ],
    ['missing-scope', /<strong>403<\/strong>/, /scope=(&quot;|")receipts:write/],
    ['expired-token', /exp is in the past/],
    ['wrong-secret', /<strong>401<\/strong>/],
    ['receipts-down', /None: (UND_ERR_SOCKET|ECONNRESET)/],
    ['slow-receipts'],
  ]
  for (const [name, ...seen] of waits)
    await t.test(`${name}: the book is paid, its receipt waits`, async t => {
      const broken = await flip(name, 'break')
      t.match(effectOf(broken), 'paid, and the receipt waits')
      const flow = flowSince(broken, orderIn(broken))
      for (const sign of seen) t.match(flow, sign)
      t.match(broken, 'Heal: ')
      const healed = await flip(name, 'heal')
      t.match(effectOf(healed), 'and the receipt is there')
      t.notMatch(healed, 'Heal: ')
      await receiptArrives(orderIn(broken))
    })

  await t.test(
    'issuer down: nothing stops until the tokens are gone too; then nobody is charged',
    async t => {
      t.match(effectOf(await flip('issuer-down', 'break')), 'and the receipt is there')
      t.match(
        effectOf(await flip('forget-tokens', 'break')),
        /could not be bought.*TOKEN_CLIENT_UNAVAILABLE/s,
      )
      t.match(effectOf(await flip('issuer-down', 'heal')), 'and the receipt is there')
    },
  )

  await t.test('keys are rotated and nobody is refused', async t => {
    const page = await flip('rotate-keys', 'break')
    t.match(effectOf(page), 'and the receipt is there')
    t.notMatch(flowSince(page, orderIn(page)), /exchange (refused|failed)/)
  })

  await t.test('a key is withdrawn: its tokens are refused and replaced by themselves', async t => {
    const before = (await (await fetch(`${url}/live`)).text()).split(
      'the issuer lists no key that fits',
    ).length
    const page = await flip('withdraw-keys', 'break')
    t.match(effectOf(page), 'and the receipt is there')
    t.equal(page.split('the issuer lists no key that fits').length, before + 2, 'at both services')
  })

  await t.test('only what exists can be flipped, and only from the page itself', async t => {
    t.equal((await post(url, { name: 'the-bank', wanted: 'break' })).status, 400)
    t.equal(
      (await post(url, { name: 'issuer-down', wanted: 'break' }, { 'sec-fetch-site': 'cross-site' })).status,
      403,
    )
    t.equal(new Set(switches.map(({ name }) => name)).size, switches.length)
  })
})
