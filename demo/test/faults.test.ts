import t, { type Test } from 'tap'
import { switches } from '#src/faults/switches.js'
import { pageWithReceipt } from './buyer.js'
import { openShop } from './open-shop.js'
import { until } from './until.js'

const effectOf = (page: string): string => /id="effect"[^]*?<ul class="switches"/.exec(page)?.[0] ?? ''
/** On a machine that has other work, a receipt may take longer than a purchase waits for it. */
const isThere = /paid, and the receipt (is there|came a little later)/
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

  /** Flips a switch on the page; resolves to the page, once it says this. */
  async function flip(t: Test, name: string, wanted: 'break' | 'heal', says: RegExp): Promise<string> {
    const answer = await post(url, { name, wanted })
    t.equal(answer.status, 303, `${wanted} ${name}`)
    const page = await until(`an end of ${wanted} ${name}`, async () => {
      const made = await (await fetch(`${url}/live`)).text()
      // A page may be made while a request is under way: whoever looks again sees how it ends.
      return (
        (says.test(effectOf(made)) || !/has not answered yet|waits a moment/.test(effectOf(made))) && made
      )
    })
    t.match(effectOf(page), says)
    return page
  }

  const waits: [name: string, ...seen: RegExp[]][] = [
    ['wrong-audience', /expected https:\/\/receipts\.bookstore\.example/, /error=(&quot;|")invalid_token/],
    ['missing-scope', /<strong>403<\/strong>/, /scope=(&quot;|")receipts:write/],
    ['expired-token', /exp is in the past/],
    ['wrong-secret', /<strong>invalid_client<\/strong>: it does not accept the client’s credentials/],
    ['receipts-down', /<strong>None<\/strong> <code>(UND_ERR_SOCKET|ECONNRESET)/],
  ]
  for (const [name, ...seen] of waits)
    await t.test(`${name}: the book is paid, its receipt waits`, async t => {
      const broken = await flip(t, name, 'break', /paid, and the receipt waits(?![^]*has not answered yet)/)
      const flow = flowSince(broken, orderIn(broken))
      for (const sign of seen) t.match(flow, sign)
      t.match(broken, 'Heal: ')
      const healed = await flip(t, name, 'heal', isThere)
      t.notMatch(healed, 'Heal: ')
      await pageWithReceipt(url + orderIn(broken))
    })

  await t.test('slow-receipts: the purchase does not wait for it, the receipt follows', async t => {
    const slow = await flip(t, 'slow-receipts', 'break', /paid, and the receipt came a little later/)
    await pageWithReceipt(url + orderIn(slow))
    await flip(t, 'slow-receipts', 'heal', isThere)
  })

  await t.test(
    'issuer down: nothing stops until the tokens are gone too; then nobody is charged',
    async t => {
      await flip(t, 'issuer-down', 'break', isThere)
      await flip(t, 'forget-tokens', 'break', /could not be bought[^]*TOKEN_CLIENT_UNAVAILABLE/)
      await flip(t, 'issuer-down', 'heal', isThere)
    },
  )

  await t.test('with several things broken, a trial is explained by its own requests', async t => {
    await flip(t, 'wrong-secret', 'break', /invalid_client/)
    const both = await flip(
      t,
      'issuer-down',
      'break',
      /paid, and the receipt waits[^]*Why: .*[Pp]ayment service/,
    )
    t.match(effectOf(both), /Still broken:<\/strong> Wrong secret, Issuer down/)
    const failed = await flip(t, 'forget-tokens', 'break', /could not be bought\. Nothing was charged/)
    const [, why = ''] = /Why: ([^<]*)/.exec(effectOf(failed)) ?? []
    t.match(why, /the storefront/i, 'the storefront has no token')
    t.notMatch(why, /the payment service/i, 'what the payment service tries meanwhile is another story')

    const stream = await fetch(`${url}/live/events`)
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    let told = ''
    const until = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(told)) told += (await reader?.read())?.value ?? ''
    }
    await until(/event: boot\ndata: \w+\n\nevent: panel\n[^]*Still broken/)
    told = ''
    const reset = await flip(
      t,
      'everything',
      'heal',
      /Everything reset[^]*paid, and the receipt (is there|came)/,
    )
    t.notMatch(effectOf(reset), 'Still broken')
    t.notMatch(reset, 'Heal: ')
    await until(/event: panel\n[^]*Everything reset/)
    t.pass('other windows are told')
    await reader?.cancel()
  })

  await t.test('keys are rotated and nobody is refused', async t => {
    const page = await flip(t, 'rotate-keys', 'break', isThere)
    t.notMatch(flowSince(page, orderIn(page)), /exchange (refused|failed)/)
  })

  await t.test('a key is withdrawn: its tokens are refused and replaced by themselves', async t => {
    const page = await flip(t, 'withdraw-keys', 'break', isThere)
    t.equal(
      page.split('<strong>key</strong>: the issuer has no key for this kid').length,
      3,
      'at both services',
    )
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
