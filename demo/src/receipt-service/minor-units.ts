/** Currencies whose minor unit is not a hundredth (ISO 4217, list one, amendments until 2026). */
const exceptions: Readonly<Record<string, number>> = {
  ...digits(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digits(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digits(4, 'CLF UYW'),
}

/**
 * Returns the number of decimals of a currency by ISO 4217. `Intl` uses CLDR, which has no decimals for the forint, so
 * amounts in minor units would be wrong by a factor of 100.
 */
export function minorUnitDigits(currency: string): number {
  return exceptions[currency] ?? 2
}

function digits(count: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map(currency => [currency, count]))
}
