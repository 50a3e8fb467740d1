import { seller } from './seller.js'

/**
 * Parses an RFC 3339 date-time. A leap second (`:60`, §5.7) becomes the second after it, because JavaScript dates have
 * no leap seconds.
 * @returns an invalid Date if the text is not a date-time
 */
export function instantOf(dateTime: string): Date {
  const leap = /:60(?=[.Zz+-])/
  const date = new Date(dateTime.toUpperCase().replace(leap, ':59'))
  return leap.test(dateTime) ? new Date(date.getTime() + 1_000) : date
}

const year = new Intl.DateTimeFormat('en-GB', { timeZone: seller.timeZone, year: 'numeric' })

/** Returns the year in the seller's time zone, which decides the year of a receipt on New Year's Eve. */
export function taxYearOf(dateTime: string): number {
  return Number(year.format(instantOf(dateTime)))
}
