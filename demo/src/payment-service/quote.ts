import createError from '@fastify/error'
import { currency as shopCurrency, findBook } from '../catalogue.js'
import type { PaymentAnswer, PaymentRequest } from '../payments-api.js'

/** One book of an order with its current price: integer minor units, VAT included. */
export type QuoteLine = PaymentAnswer['lines'][number]
/** The VAT of all lines with one rate: net + vat = gross. */
export type VatLine = PaymentAnswer['vat'][number]

/** An order with its prices. */
export interface Quote {
  readonly currency: string
  readonly locale: string
  readonly lines: readonly QuoteLine[]
  readonly vat: readonly VatLine[]
  readonly total: number
}

/** 422: the shop does not sell this book. */
export const UnknownBookError = createError<[string]>('PAYMENT_UNKNOWN_BOOK', 'The shop has no book %s.', 422)
/** 422: the catalogue has no prices in this currency. */
export const CurrencyError = createError<[string]>(
  'PAYMENT_CURRENCY',
  `There are no prices in %s, only in ${shopCurrency}.`,
  422,
)

/** 422: receipts cannot be formatted in this locale. */
export const LocaleError = createError<[string]>(
  'PAYMENT_LOCALE',
  '%s is no well-formed language tag (BCP 47).',
  422,
)

/** @throws {UnknownBookError} @throws {CurrencyError} @throws {LocaleError} */
export function quote({ items, currency, locale }: PaymentRequest['order']): Quote {
  if (!isWellFormed(locale)) throw new LocaleError(locale)
  if (currency !== shopCurrency) throw new CurrencyError(currency)
  const lines = items.map(({ sku, quantity }): QuoteLine => {
    const book = findBook(sku)
    if (book === undefined) throw new UnknownBookError(sku)
    const { title, author, price: unitPrice, vatRate } = book
    return { sku, title, author, quantity, unitPrice, vatRate, total: unitPrice * quantity }
  })
  return { currency, locale, lines, vat: vatByRate(lines), total: sum(lines.map(line => line.total)) }
}

/**
 * VAT is computed from the sum of each rate, not from each line: there is one rounding (half up) per rate, and net and
 * VAT add up to the total.
 */
export function vatByRate(lines: readonly Pick<QuoteLine, 'vatRate' | 'total'>[]): VatLine[] {
  const rates = [...new Set(lines.map(line => line.vatRate))].sort((a, b) => a - b)
  return rates.map(rate => {
    const gross = sum(lines.filter(line => line.vatRate === rate).map(line => line.total))
    const vat = Math.round((gross * rate) / (10_000 + rate))
    return { rate, net: gross - vat, vat, gross }
  })
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((a, b) => a + b, 0)
}

function isWellFormed(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length === 1
  } catch {
    return false
  }
}
