/** The fixed texts of a receipt in one language. */
export interface Labels {
  readonly receipt: string
  readonly number: string
  /** Date of payment and supply, which is the tax date. */
  readonly date: string
  readonly payment: string
  readonly paidWith: string
  readonly billedTo: string
  readonly item: string
  readonly quantity: string
  readonly price: string
  readonly amount: string
  readonly vatRate: string
  readonly net: string
  readonly vat: string
  /** Of the seller. */
  readonly vatId: string
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
  date: 'Paid and supplied on',
  payment: 'Payment',
  paidWith: 'Paid with',
  billedTo: 'Billed to',
  item: 'Item',
  quantity: 'Qty',
  price: 'Price',
  amount: 'Amount',
  vatRate: 'VAT rate',
  net: 'Net',
  vat: 'VAT',
  vatId: 'VAT ID',
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
  date: 'Bezahlt und geliefert am',
  payment: 'Zahlung',
  paidWith: 'Bezahlt mit',
  billedTo: 'Rechnung an',
  item: 'Artikel',
  quantity: 'Menge',
  price: 'Preis',
  amount: 'Betrag',
  vatRate: 'MwSt.-Satz',
  net: 'Netto',
  vat: 'MwSt.',
  vatId: 'USt-IdNr.',
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
  date: 'Payé et livré le',
  payment: 'Paiement',
  paidWith: 'Payé par',
  billedTo: 'Facturé à',
  item: 'Article',
  quantity: 'Qté',
  price: 'Prix',
  amount: 'Montant',
  vatRate: 'Taux de TVA',
  net: 'HT',
  vat: 'TVA',
  vatId: 'N° de TVA',
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
  date: 'Pagado y entregado el',
  payment: 'Pago',
  paidWith: 'Pagado con',
  billedTo: 'Facturado a',
  item: 'Artículo',
  quantity: 'Cant.',
  price: 'Precio',
  amount: 'Importe',
  vatRate: 'Tipo de IVA',
  net: 'Base',
  vat: 'IVA',
  vatId: 'NIF-IVA',
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

/** Returns the labels for a locale and their language; English if the locale's language is not supported. */
export function labelsFor(locale: string): { readonly language: string; readonly labels: Labels } {
  const language = new Intl.Locale(locale).language
  const labels = languages[language]
  return labels === undefined ? { language: 'en', labels: en } : { language, labels }
}
