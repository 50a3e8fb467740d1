import { seller } from './seller.js'

/**
 * The instant of an RFC 3339 date-time. A leap second (`:60`, §5.7) is the second after it, as clocks count that know of
 * none.
 * @returns an invalid Date for a text that stands for no instant
 */
export function instantOf(dateTime: string): Date {
  const leap = /:60(?=[.Zz+-])/
  const date = new Date(dateTime.toUpperCase().replace(leap, ':59'))
  return leap.test(dateTime) ? new Date(date.getTime() + 1_000) : date
}

const year = new Intl.DateTimeFormat('en-GB', { timeZone: seller.timeZone, year: 'numeric' })

/** The seller's year: a receipt of New Year's Eve belongs to the year in which it was made there. */
export function taxYearOf(dateTime: string): number {
  return Number(year.format(instantOf(dateTime)))
}
