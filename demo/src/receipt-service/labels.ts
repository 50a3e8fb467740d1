/** The fixed words of a receipt in one language. */
export interface Labels {
  readonly receipt: string
  readonly number: string
  readonly date: string
  readonly payment: string
  readonly paidWith: string
  readonly billedTo: string
  readonly book: string
  readonly quantity: string
  readonly price: string
  readonly amount: string
  readonly vatRate: string
  readonly net: string
  readonly vat: string
  readonly gross: string
  readonly total: string
  readonly paid: string
  readonly pricesIncludeVat: string
  readonly thanks: string
  readonly someCharactersMissing: string
  readonly page: (current: number, count: number) => string
}

const en: Labels = {
  receipt: 'Receipt',
  number: 'Receipt number',
  date: 'Date',
  payment: 'Payment',
  paidWith: 'Paid with',
  billedTo: 'Billed to',
  book: 'Book',
  quantity: 'Qty',
  price: 'Price',
  amount: 'Amount',
  vatRate: 'VAT rate',
  net: 'Net',
  vat: 'VAT',
  gross: 'Gross',
  total: 'Total',
  paid: 'Paid',
  pricesIncludeVat: 'All prices include VAT.',
  thanks: 'Thank you for reading with us.',
  someCharactersMissing:
    'Characters shown as ◊ are not in this document’s font; the web page and receipt.json have them.',
  page: (current, count) => `Page ${current} of ${count}`,
}

const de: Labels = {
  receipt: 'Quittung',
  number: 'Belegnummer',
  date: 'Datum',
  payment: 'Zahlung',
  paidWith: 'Bezahlt mit',
  billedTo: 'Rechnung an',
  book: 'Buch',
  quantity: 'Menge',
  price: 'Preis',
  amount: 'Betrag',
  vatRate: 'MwSt.-Satz',
  net: 'Netto',
  vat: 'MwSt.',
  gross: 'Brutto',
  total: 'Gesamt',
  paid: 'Bezahlt',
  pricesIncludeVat: 'Alle Preise enthalten die gesetzliche Mehrwertsteuer.',
  thanks: 'Danke, dass Sie mit uns lesen.',
  someCharactersMissing:
    'Mit ◊ gezeigte Zeichen fehlen in der Schrift dieses Dokuments; Webseite und receipt.json enthalten sie.',
  page: (current, count) => `Seite ${current} von ${count}`,
}

const fr: Labels = {
  receipt: 'Reçu',
  number: 'Numéro du reçu',
  date: 'Date',
  payment: 'Paiement',
  paidWith: 'Payé par',
  billedTo: 'Facturé à',
  book: 'Livre',
  quantity: 'Qté',
  price: 'Prix',
  amount: 'Montant',
  vatRate: 'Taux de TVA',
  net: 'HT',
  vat: 'TVA',
  gross: 'TTC',
  total: 'Total',
  paid: 'Payé',
  pricesIncludeVat: 'Tous les prix sont TTC.',
  thanks: 'Merci de lire avec nous.',
  someCharactersMissing:
    'Les caractères remplacés par ◊ manquent dans la police de ce document ; la page web et receipt.json les contiennent.',
  page: (current, count) => `Page ${current} sur ${count}`,
}

const es: Labels = {
  receipt: 'Recibo',
  number: 'Número de recibo',
  date: 'Fecha',
  payment: 'Pago',
  paidWith: 'Pagado con',
  billedTo: 'Facturado a',
  book: 'Libro',
  quantity: 'Cant.',
  price: 'Precio',
  amount: 'Importe',
  vatRate: 'Tipo de IVA',
  net: 'Base',
  vat: 'IVA',
  gross: 'Con IVA',
  total: 'Total',
  paid: 'Pagado',
  pricesIncludeVat: 'Todos los precios incluyen IVA.',
  thanks: 'Gracias por leer con nosotros.',
  someCharactersMissing:
    'Los caracteres mostrados como ◊ no están en la fuente de este documento; la página web y receipt.json los contienen.',
  page: (current, count) => `Página ${current} de ${count}`,
}

const languages: Readonly<Record<string, Labels>> = { en, de, fr, es }

/** The labels for a locale, and the language they are in: English where its language has none. */
export function labelsFor(locale: string): { readonly language: string; readonly labels: Labels } {
  const language = new Intl.Locale(locale).language
  const labels = languages[language]
  return labels === undefined ? { language: 'en', labels: en } : { language, labels }
}
