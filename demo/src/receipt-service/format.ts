import { instantOf } from './instant.js'
import { minorUnitDigits } from './minor-units.js'
import { seller } from './seller.js'

/** Formats the money, dates and rates of one receipt. */
export interface Format {
  /** Formats integer minor units as an amount with its currency. */
  money(minorUnits: number): string
  /** Formats an RFC 3339 date-time as the day in the seller's time zone, which is the tax date. */
  date(instant: string): string
  /** Formats hundredths of a percent: 700 is `7%`. */
  rate(hundredthsOfPercent: number): string
}

/**
 * Returns the formats of a locale, limited to characters of the document's font. Digits are Latin, and `en-GB` replaces
 * a locale whose dates or amounts use another script.
 * @throws {RangeError} if `Intl` rejects the locale or currency
 */
export function formatFor(locale: string, currency: string): Format {
  const own = intlFormat(locale, currency)
  return [own.money(123_456), own.date('2026-11-23T00:00:00Z'), own.rate(725)].every(isPrintable)
    ? own
    : intlFormat('en-GB', currency)
}

/** Formats amounts with the minor units of ISO 4217 (none for JPY, three for KWD). */
function intlFormat(locale: string, currency: string): Format {
  const latin = { numberingSystem: 'latn' } as const
  const decimals = minorUnitDigits(currency)
  const amount = new Intl.NumberFormat(locale, {
    ...latin,
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
  const minorUnits = 10 ** decimals
  const day = new Intl.DateTimeFormat(locale, {
    ...latin,
    calendar: 'gregory',
    dateStyle: 'long',
    timeZone: seller.timeZone,
  })
  const percent = new Intl.NumberFormat(locale, { ...latin, style: 'percent', maximumFractionDigits: 2 })
  return {
    money: minor => printable(amount.format(minor / minorUnits)),
    date: instant => printable(day.format(instantOf(instant))),
    rate: hundredths => printable(percent.format(hundredths / 10_000)),
  }
}

/** `Intl` uses some code points that the font lacks, such as the narrow no-break space and the full-width yen sign. */
function printable(formatted: string): string {
  return formatted.replaceAll('\u202F', '\u00A0').replaceAll('\uFFE5', '\u00A5')
}

/** The characters of the document's font, Roboto: Latin, Greek, Cyrillic, their symbols, and six combining accents. */
const glyphs =
  '\\u0020-\\u007E\\u00A0-\\u017F\\u0192\\u01A0\\u01A1\\u01AF\\u01B0\\u0218-\\u021B' +
  '\\u0300\\u0301\\u0303\\u0309\\u030F\\u0323' +
  '\\u0384-\\u038A\\u038C\\u038E-\\u03A1\\u03A3-\\u03CE\\u0400-\\u0481\\u048A-\\u0513\\u1E80-\\u1E85\\u1E9E\\u1EA0-\\u1EF9' +
  '\\u2010\\u2011\\u2013-\\u2015\\u2017-\\u201E\\u2020-\\u2022\\u2026\\u2030\\u2032\\u2033\\u2039\\u203A\\u2044' +
  '\\u20A6-\\u20AC\\u20B1\\u20B9\\u20BA\\u20BD\\u2116\\u2122\\u2212\\u25CA'
const uncovered = new RegExp(`[^${glyphs}]`, 'gu')

/** Returns whether the document's font has all characters of the text. */
export function isPrintable(text: string): boolean {
  return composed(text).search(uncovered) < 0
}

/** Replaces each character that the document's font lacks with a box. */
export function boxMissingGlyphs(text: string): string {
  return composed(text).replaceAll(uncovered, missingGlyph)
}

/** Joiners and variation selectors are removed, because they have no glyph of their own. */
const shapeless = /\u200C|\u200D|\uFE0E|\uFE0F/gu

function composed(text: string): string {
  return printable(text.normalize('NFC').replaceAll(shapeless, ''))
}

/** Replacement for a missing character; the font has this one. */
export const missingGlyph = '\u25CA'
