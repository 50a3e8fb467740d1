import { randomUUID } from 'node:crypto'
import { books, currency } from '../catalogue.js'
import type { Visit } from '../live/exchange.js'
import { where } from '../live/lanes.js'
import type { PayAnswer } from '../storefront/payments-api.js'
import { switches, type Levers, type Switch } from './switches.js'

/** A purchase that shows the effect of a switch. */
export interface Trial {
  /** The flip before it. */
  readonly of: string
  /** Titles of the other broken switches during the purchase; one of them may be the cause of a failure. */
  readonly alsoBroken: readonly string[]
  /** All requests of this purchase belong to this visit. */
  readonly visit: Visit
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  readonly result:
    | { readonly outcome: 'paid'; readonly orderId: string; readonly receipt: string }
    | { readonly outcome: 'failed'; readonly reason: string }
}

/** A switch and whether it is broken. */
export interface SwitchState extends Pick<Switch, 'name' | 'title' | 'text'> {
  readonly verb: string
  readonly isBroken: boolean
}

/** The switches on the token flow page. */
export interface Switchboard {
  list(): readonly SwitchState[]
  /** Breaks or heals one switch, then buys a book to show the effect. Concurrent calls run one after the other. */
  flip(name: string, wanted: 'break' | 'heal'): Promise<Trial>
  /** Heals all switches, then buys a book. */
  reset(): Promise<Trial>
  lastTrial(): Trial | undefined
  /**
   * Calls the listener after each flip.
   * @returns a function that stops this
   */
  follow(listener: () => void): () => void
}

/** @param buy pays an order with this id, as the checkout does */
export function createSwitchboard(levers: Levers, buy: (orderId: string) => Promise<PayAnswer>): Switchboard {
  const broken = new Set<string>()
  const listeners = new Set<() => void>()
  let last: Trial | undefined
  let queue: Promise<unknown> = Promise.resolve()

  async function flip({ name, title, ...one }: Switch, wanted: 'break' | 'heal'): Promise<Trial> {
    await (wanted === 'break' ? one.break(levers) : one.heal?.(levers))
    if (wanted === 'break' && one.heal !== undefined) broken.add(name)
    else broken.delete(name)
    return tryOut(wanted === 'break' ? title : `${title}, healed`, name)
  }

  async function reset(): Promise<Trial> {
    for (const { name, heal } of switches) if (broken.has(name)) await heal?.(levers)
    broken.clear()
    return tryOut('Everything reset')
  }

  async function tryOut(of: string, flipped?: string): Promise<Trial> {
    const visit: Visit = {}
    const others = switches.filter(({ name }) => broken.has(name) && name !== flipped)
    const alsoBroken = others.map(({ title }) => title)
    const startedAt = Date.now()
    const result = await where.run({ lane: 'storefront', visit }, () => buyOne(buy))
    last = { of, alsoBroken, visit, startedAt, endedAt: Date.now(), result }
    for (const listener of listeners) listener()
    return last
  }

  function inTurn(work: () => Promise<Trial>): Promise<Trial> {
    const done = queue.then(work)
    queue = done.catch(() => {})
    return done
  }

  return {
    list: () =>
      switches.map(({ name, title, text, heal, verb }) => ({
        name,
        title,
        text,
        verb: heal === undefined ? (verb ?? 'Do it') : 'Break',
        isBroken: broken.has(name),
      })),
    flip(name, wanted) {
      const found = switches.find(one => one.name === name)
      if (found === undefined) return Promise.reject(new RangeError(`there is no switch ${name}`))
      return inTurn(() => flip(found, wanted))
    },
    reset: () => inTurn(reset),
    lastTrial: () => last,
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

async function buyOne(buy: (orderId: string) => Promise<PayAnswer>): Promise<Trial['result']> {
  try {
    const { status, body } = await buy(randomUUID())
    if (status !== 201) return { outcome: 'failed', reason: body.code ?? body.title }
    return { outcome: 'paid', orderId: body.paymentId, receipt: body.receipt?.status ?? 'none' }
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return { outcome: 'failed', reason: code ?? message }
  }
}

/** What trials buy. */
export const trialOrder = {
  items: [{ sku: books[0]?.sku ?? '', quantity: 1 }],
  currency,
  locale: 'en-IE',
}
