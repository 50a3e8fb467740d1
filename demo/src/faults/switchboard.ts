import { randomUUID } from 'node:crypto'
import { books, currency } from '../catalogue.js'
import type { Visit } from '../live/exchange.js'
import { where } from '../live/lanes.js'
import type { PayAnswer } from '../storefront/payments-api.js'
import { switches, type Levers, type Switch } from './switches.js'

/** A purchase made to show the effect of a switch. */
export interface Trial {
  /** What was done before it. */
  readonly of: string
  /** Every request that it causes belongs to this visit. */
  readonly visit: Visit
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  readonly result:
    | { readonly outcome: 'paid'; readonly orderId: string; readonly receipt: string }
    | { readonly outcome: 'failed'; readonly reason: string }
}

/** A switch and how it stands. */
export interface SwitchState extends Pick<Switch, 'name' | 'title' | 'text'> {
  readonly verb: string
  readonly isBroken: boolean
}

/** What visitors may break, and heal. */
export interface Switchboard {
  list(): readonly SwitchState[]
  /** Breaks or heals one thing, and buys a book to show what that does. Flips wait for each other. */
  flip(name: string, wanted: 'break' | 'heal'): Promise<Trial>
  /** Heals everything, and buys a book. */
  reset(): Promise<Trial>
  lastTrial(): Trial | undefined
  /** Tells each flip until the function that comes back is called. */
  follow(listener: () => void): () => void
}

/** @param buy pays an order under this id, as the checkout does */
export function createSwitchboard(levers: Levers, buy: (orderId: string) => Promise<PayAnswer>): Switchboard {
  const broken = new Set<string>()
  const listeners = new Set<() => void>()
  let last: Trial | undefined
  let queue: Promise<unknown> = Promise.resolve()

  async function flip({ name, title, ...one }: Switch, wanted: 'break' | 'heal'): Promise<Trial> {
    await (wanted === 'break' ? one.break(levers) : one.heal?.(levers))
    if (wanted === 'break' && one.heal !== undefined) broken.add(name)
    else broken.delete(name)
    return tryOut(wanted === 'break' ? title : `${title}, healed`)
  }

  async function reset(): Promise<Trial> {
    for (const { name, heal } of switches) if (broken.has(name)) await heal?.(levers)
    broken.clear()
    return tryOut('Everything reset')
  }

  async function tryOut(of: string): Promise<Trial> {
    const visit: Visit = {}
    const startedAt = Date.now()
    const result = await where.run({ lane: 'storefront', visit }, () => buyOne(buy))
    last = { of, visit, startedAt, endedAt: Date.now(), result }
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
