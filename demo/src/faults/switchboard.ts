import { randomUUID } from 'node:crypto'
import { books, currency } from '../catalogue.js'
import type { Payment } from '../storefront/payments-api.js'
import { switches, type Levers, type Switch } from './switches.js'

/** A purchase made to show the effect of a switch. */
export type Trial =
  | { readonly outcome: 'paid'; readonly orderId: string; readonly receipt: string }
  | { readonly outcome: 'failed'; readonly reason: string }

/** A switch and how it stands. */
export interface SwitchState extends Pick<Switch, 'name' | 'title' | 'text'> {
  readonly kind: 'toggle' | 'once'
  readonly isBroken: boolean
}

/** What visitors may break, and heal. */
export interface Switchboard {
  list(): readonly SwitchState[]
  /** Breaks or heals one thing, and buys a book to show what that does. Flips wait for each other. */
  flip(name: string, wanted: 'break' | 'heal'): Promise<Trial>
  /** The last one, and what was flipped before it. */
  lastTrial(): { readonly of: string; readonly trial: Trial } | undefined
}

/** @param buy pays an order under this id, as the checkout does */
export function createSwitchboard(levers: Levers, buy: (orderId: string) => Promise<Payment>): Switchboard {
  const broken = new Set<string>()
  let last: ReturnType<Switchboard['lastTrial']>
  let queue: Promise<unknown> = Promise.resolve()

  async function flip({ name, title, ...one }: Switch, wanted: 'break' | 'heal'): Promise<Trial> {
    await (wanted === 'break' ? one.break(levers) : one.heal?.(levers))
    if (wanted === 'break' && one.heal !== undefined) broken.add(name)
    else broken.delete(name)
    const trial = await tryOut(buy)
    last = { of: wanted === 'break' ? title : `${title}, healed`, trial }
    return trial
  }

  return {
    list: () =>
      switches.map(({ name, title, text, heal }) => ({
        name,
        title,
        text,
        kind: heal === undefined ? 'once' : 'toggle',
        isBroken: broken.has(name),
      })),
    flip(name, wanted) {
      const found = switches.find(one => one.name === name)
      if (found === undefined) return Promise.reject(new RangeError(`there is no switch ${name}`))
      const flipped = queue.then(() => flip(found, wanted))
      queue = flipped.catch(() => {})
      return flipped
    },
    lastTrial: () => last,
  }
}

async function tryOut(buy: (orderId: string) => Promise<Payment>): Promise<Trial> {
  try {
    const { paymentId, receipt } = await buy(randomUUID())
    return { outcome: 'paid', orderId: paymentId, receipt: receipt?.status ?? 'none' }
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
} as const
