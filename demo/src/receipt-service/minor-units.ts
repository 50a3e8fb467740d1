/** Currencies whose minor unit is not a hundredth: ISO 4217, list one, as amended until 2026. */
const exceptions: Readonly<Record<string, number>> = {
  ...digits(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...digits(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...digits(4, 'CLF UYW'),
}

/**
 * How many decimals an amount has. Not what `Intl` says: CLDR counts the coins that people use, so there the forint has
 * none, and an amount in minor units would be wrong by a factor of 100.
 */
export function minorUnitDigits(currency: string): number {
  return exceptions[currency] ?? 2
}

function digits(count: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map(currency => [currency, count]))
}
