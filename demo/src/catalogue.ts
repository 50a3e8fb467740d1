/** A book with its price. */
export interface Book {
  readonly sku: string
  readonly title: string
  readonly author: string
  readonly blurb: string
  /** VAT included, in minor units of the currency: 1850 is 18.50 EUR. */
  readonly price: number
  /** In hundredths of a percent: 700 is 7 %. */
  readonly vatRate: number
}

/** ISO 4217. */
export const currency = 'EUR'

/** Invented books by invented authors. VAT is 7 % for printed books and 19 % for the notebook and the poster. */
export const books: readonly Book[] = [
  {
    sku: 'B-1001',
    title: 'The Lighthouse Ledger',
    author: 'Mara Oakhollow',
    blurb: 'A keeper finds that her logbook answers back.',
    price: 2190,
    vatRate: 700,
  },
  {
    sku: 'B-1002',
    title: 'A Field Guide to Quiet Rivers',
    author: 'Ivo Brandt',
    blurb: 'Forty rivers, and how to sit beside each of them.',
    price: 3450,
    vatRate: 700,
  },
  {
    sku: 'B-1003',
    title: 'Clockwork for Beginners',
    author: 'Teodora Finch',
    blurb: 'From one spring and two wheels to a watch that runs.',
    price: 1895,
    vatRate: 700,
  },
  {
    sku: 'B-1004',
    title: 'The Cartographer’s Daughter',
    author: 'Søren Vale',
    blurb: 'She draws the island first. Then it appears.',
    price: 1699,
    vatRate: 700,
  },
  {
    sku: 'B-1005',
    title: 'Bread at Four in the Morning',
    author: 'Amélie Roux',
    blurb: 'A baker’s year, with every recipe.',
    price: 2800,
    vatRate: 700,
  },
  {
    sku: 'B-1006',
    title: 'Small Machines, Large Ideas',
    author: 'Kofi Adeyemi',
    blurb: 'Twelve programs that fit on a page and changed how people think.',
    price: 3999,
    vatRate: 700,
  },
  {
    sku: 'S-2001',
    title: 'Notebook “Northern Pine”',
    author: 'Stationery',
    blurb: '160 pages, dotted, lies flat.',
    price: 1250,
    vatRate: 1900,
  },
  {
    sku: 'S-2002',
    title: 'Poster “Constellations of Print”',
    author: 'Stationery',
    blurb: '50 × 70 cm, on heavy paper.',
    price: 1490,
    vatRate: 1900,
  },
]

const bySku: ReadonlyMap<string, Book> = new Map(books.map(book => [book.sku, book]))

/** Returns the book with this stock-keeping unit, if the shop sells it. */
export function findBook(sku: string): Book | undefined {
  return bySku.get(sku)
}
