import { currency } from '../catalogue.js'

/** The language of the shop and of its receipts. */
export const locale = 'en-IE'

const amount = new Intl.NumberFormat(locale, { style: 'currency', currency })
const date = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' })

/** Minor units → what people read. */
export function price(minorUnits: number): string {
  return amount.format(minorUnits / 100)
}

/** An ISO 8601 instant → what people read. */
export function day(instant: string): string {
  return date.format(new Date(instant))
}
