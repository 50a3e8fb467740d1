import t, { type Test } from 'tap'
import { switches, type Switch } from '#src/faults/switches.js'
import { pageWithReceipt } from './buyer.js'
import { openShop } from './open-shop.js'
import { effects, isThere } from './switch-effects.js'
import { until } from './until.js'

const entities: Readonly<Record<string, string>> = { quot: '"', '#39': "'", lt: '<', gt: '>', amp: '&' }
/** Returns the text of a piece of HTML on one line. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&([^;]+);/g, (whole, name: string) => entities[name] ?? whole)
    .replaceAll(/\s+/g, ' ')
    .trim()

const effectOf = (page: string): string => /id="effect"[^]*?<ul class="switches"/.exec(page)?.[0] ?? ''
const orderIn = (page: string): string => /href="(\/orders\/[^"]+)"/.exec(effectOf(page))?.[1] ?? ''

/** Returns the rows of the flow on a page. */
const rowsOf = (page: string): readonly { id: string; html: string }[] =>
  page
    .slice(page.indexOf('<token-flow'))
    .split('<li class="exchange')
    .slice(1)
    .map(html => ({ id: /id="([^"]+)"/.exec(html)?.[1] ?? '', html }))
const numberOf = ({ id }: { readonly id: string }): number => Number(id.split('-')[1])

/** Returns the rows after a number, each as one line without its time. */
const linesAfter = (page: string, number: number): string =>
  rowsOf(page)
    .filter(row => numberOf(row) > number)
    .map(({ html }) => textOf(/<summary>([^]*?)<\/summary>/.exec(html)?.[1] ?? '').replace(/^\S+ /, ''))
    .join('\n')

const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}/live/switches`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })

t.test('switches have an effect at once and can be healed', async t => {
  const { url } = await openShop(t)

  /** Flips a switch; resolves to the page once it contains this text. */
  async function flip(t: Test, name: string, wanted: 'break' | 'heal', says: RegExp): Promise<string> {
    const answer = await post(url, { name, wanted })
    t.equal(answer.status, 303, `${wanted} ${name}`)
    const page = await until(`an end of ${wanted} ${name}`, async () => {
      const made = await (await fetch(`${url}/live`)).text()
      const effect = textOf(effectOf(made))
      // The page may have been rendered while a request was still running.
      return (says.test(effect) || !/has not answered yet|waits before it asks/.test(effect)) && made
    })
    t.match(textOf(effectOf(page)), says)
    return page
  }

  async function breakAndHeal(t: Test, { name, title, heal }: Switch): Promise<void> {
    const effect = effects[name]
    if (effect === undefined) throw new Error(`the effect of ${name} is unknown`)
    const last = rowsOf(await (await fetch(`${url}/live`)).text()).at(-1)
    const broken = await flip(t, name, 'break', effect.says)
    const flow = linesAfter(broken, last === undefined ? 0 : numberOf(last))
    for (const line of effect.flow) t.match(flow, line)
    if (effect.never !== undefined) t.notMatch(flow, effect.never)
    const [, linked] = /href="#([^"]+)-in">Show th(?:e|is) request/.exec(effectOf(broken)) ?? []
    const shown = rowsOf(broken).find(({ id }) => id === linked)?.html ?? ''
    t.match(textOf(shown), effect.inside, 'the row that the result links to')

    const order = url + orderIn(broken)
    if (heal === undefined) return void (await pageWithReceipt(order))
    if (effect.receipt === 'once healed')
      t.match(await (await fetch(order)).text(), 'Your receipt is being made')
    else await pageWithReceipt(order)
    t.match(broken, `aria-label="Heal: ${title}"`)
    t.match(textOf(effectOf(broken)), `Still broken: ${title}`)
    t.notMatch(await flip(t, name, 'heal', isThere), 'Heal: ')
    await pageWithReceipt(order)
  }

  t.strictSame(Object.keys(effects).sort(), switches.map(({ name }) => name).sort())
  for (const one of switches) await t.test(one.title, t => breakAndHeal(t, one))

  await t.test(
    'issuer-down: purchases work with cached tokens, and fail without a charge when the tokens are forgotten',
    async t => {
      await flip(t, 'issuer-down', 'break', isThere)
      await flip(t, 'forget-tokens', 'break', /could not be bought[^]*TOKEN_CLIENT_UNAVAILABLE/)
      await flip(t, 'issuer-down', 'heal', isThere)
    },
  )

  await t.test('with several switches broken, a trial is explained by its own requests', async t => {
    await flip(t, 'wrong-secret', 'break', /invalid_client/)
    const both = await flip(
      t,
      'issuer-down',
      'break',
      /paid, and the receipt waits[^]*Why: .*[Pp]ayment service/,
    )
    t.match(
      textOf(effectOf(both)),
      / Issuer down\. Also broken: Wrong secret\. A book.*Still broken: Wrong secret, Issuer down/,
    )
    const failed = await flip(t, 'forget-tokens', 'break', /could not be bought\. Nothing was charged/)
    const [, why = ''] = /Why: ([^<]*)/.exec(effectOf(failed)) ?? []
    t.match(why, /the storefront/i, 'the storefront has no token')
    t.notMatch(why, /the payment service/i, 'a request of the payment service is not given as the reason')

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
    t.pass('other windows are updated')
    await reader?.cancel()
  })

  await t.test('only existing switches can be flipped, and only from the page itself', async t => {
    t.equal((await post(url, { name: 'the-bank', wanted: 'break' })).status, 400)
    t.equal(
      (await post(url, { name: 'issuer-down', wanted: 'break' }, { 'sec-fetch-site': 'cross-site' })).status,
      403,
    )
    t.equal(new Set(switches.map(({ name }) => name)).size, switches.length)
  })
})
