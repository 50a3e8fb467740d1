import { currency } from '../catalogue.js'
import { seller } from '../receipt-service/seller.js'

/** The language of the shop and of its receipts. */
export const locale = 'en-IE'

const { timeZone } = seller
const amount = new Intl.NumberFormat(locale, { style: 'currency', currency })
// British English has a name for this time zone: CET.
const date = new Intl.DateTimeFormat('en-GB', {
  timeZone,
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
})
const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' })

/** Formats minor units as an amount. */
export function price(minorUnits: number): string {
  return amount.format(minorUnits / 100)
}

/** Formats an ISO 8601 instant as date, time and zone. */
export function day(instant: string): string {
  return date.format(new Date(instant))
}

/** Formats milliseconds since the epoch as a time of day, such as 18:13:32. */
export function timeOfDay(epochMs: number): string {
  return time.format(epochMs)
}

/** Returns the current name of the seller's time zone, such as CET. */
export function timeZoneName(): string {
  return date.formatToParts().find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}
