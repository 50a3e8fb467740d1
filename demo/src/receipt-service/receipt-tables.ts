import type { Content, CustomTableLayout, TableCell } from 'pdfmake/interfaces.js'
import { accent, breakable, contentWidth, hairline, ink, muted, wash } from './receipt-style.js'
import type { ReceiptView } from './receipt-view.js'
import { charactersIn, widthAtMost } from './text-width.js'

const sizes = { text: 9.5, title: 10, author: 8.5, heading: 8, total: 17 }
const padding = { left: 12, right: 6 }
/** Number of rows that stay on the page of the sums. */
const rowsWithSums = 2
/** Maximum height of rows that stay together, in points. Higher rows would exceed the page. */
const highestGroup = 640

/** Returns the tables of the bought items and of the sums. */
export function tables(view: ReceiptView): Content[] {
  const { widths, rows } = itemRows(view)
  const kept = rows.length - rowsThatStay(view, widths[0] ?? 0)
  const [first, last] = [rows.slice(0, kept), rows.slice(kept)]
  const head = itemHead(view)
  // The last rows are a separate table with the same widths. It has the header row if it is the only table.
  return [
    ...(first.length === 0 ? [] : [items(widths, [head, ...first], 1)]),
    {
      unbreakable: true,
      stack: [
        ...(last.length === 0
          ? []
          : [items(widths, first.length === 0 ? [head, ...last] : last, first.length === 0 ? 1 : 0)]),
        { text: '', margin: [0, 0, 0, 18] },
        ...sums(view),
      ],
    },
  ]
}

/** Returns how many of the last rows fit on one page with the sums, however their texts wrap. */
function rowsThatStay({ lines, vat }: ReceiptView, titleWidth: number): number {
  let height = 130 + (vat.length + 1) * 26
  let rows = 0
  for (const { title, author = '' } of lines.slice(-rowsWithSums).toReversed()) {
    height += 13 + highestText(title, titleWidth, sizes.title) + highestText(author, titleWidth, sizes.author)
    if (height > highestGroup) break
    rows += 1
  }
  return rows
}

/** Word wrap may leave up to half of each line empty. */
function highestText(text: string, width: number, fontSize: number): number {
  return Math.ceil((2 * text.length) / charactersIn(width, fontSize)) * fontSize * 1.5
}

function items(widths: number[], body: TableCell[][], headerRows: number): Content {
  return { table: { headerRows, dontBreakRows: true, widths, body }, layout: ruled }
}

function itemHead({ labels }: ReceiptView): TableCell[] {
  return [
    heading(labels.item),
    heading(labels.quantity, 'right'),
    heading(labels.price, 'right'),
    heading(`${labels.vat} %`, 'right'),
    heading(labels.amount, 'right'),
  ]
}

function widthOf(label: string, figures: readonly string[]): number {
  return Math.max(widthAtMost(label, sizes.heading), ...figures.map(text => widthAtMost(text, sizes.text)))
}

function itemRows({ labels, lines }: ReceiptView): { widths: number[]; rows: TableCell[][] } {
  const figureWidths = [
    widthOf(
      labels.quantity,
      lines.map(line => line.quantity),
    ),
    widthOf(
      labels.price,
      lines.map(line => line.unitPrice),
    ),
    widthOf(
      `${labels.vat} %`,
      lines.map(line => line.vatRate),
    ),
    widthOf(
      labels.amount,
      lines.map(line => line.total),
    ),
  ]
  const taken = figureWidths.reduce((sum, width) => sum + width + padding.left + padding.right, 0)
  // The first column has no left padding, the last one no right padding.
  const titleWidth = contentWidth - taken
  const rows = lines.map((line): TableCell[] => [
    {
      stack: [
        { text: breakable(line.title, titleWidth, sizes.title), bold: true, fontSize: sizes.title },
        ...(line.author === undefined
          ? []
          : [
              {
                text: breakable(line.author, titleWidth, sizes.author),
                color: muted,
                fontSize: sizes.author,
              },
            ]),
      ],
    },
    figure(line.quantity),
    figure(line.unitPrice),
    figure(line.vatRate),
    figure(line.total),
  ])
  return { widths: [titleWidth, ...figureWidths], rows }
}

/** Returns the sums by VAT rate, and the total. */
function sums({ labels, vat, vatTotal, total }: ReceiptView): Content[] {
  const head = [
    heading(labels.vatRate),
    heading(labels.net, 'right'),
    heading(labels.vat, 'right'),
    heading(labels.gross, 'right'),
  ]
  const rates = vat.map((line): TableCell[] => [
    { text: line.rate, color: muted, noWrap: true },
    figure(line.net),
    figure(line.vat),
    figure(line.gross),
  ])
  const all: TableCell[][] =
    vatTotal === undefined
      ? []
      : [[strong(labels.total, 'left'), strong(vatTotal.net), strong(vatTotal.vat), strong(vatTotal.gross)]]
  return [
    {
      columns: [
        { width: '*', text: labels.pricesIncludeVat, color: muted, fontSize: sizes.heading },
        {
          width: 'auto',
          table: { widths: ['auto', 'auto', 'auto', 'auto'], body: [head, ...rates, ...all] },
          layout: ruled,
        },
      ],
      columnGap: 28,
      margin: [0, 0, 0, 16],
    },
    // Wider than the text by its padding, so that its figures align with those above.
    {
      margin: [-panelPadding, 0, -panelPadding, 0],
      table: {
        widths: ['*', 'auto'],
        body: [
          [
            { text: labels.total, fontSize: 12, bold: true, margin: [0, 3, 0, 0] },
            {
              text: total,
              fontSize: sizes.total,
              bold: true,
              color: accent,
              alignment: 'right',
              noWrap: true,
              lineHeight: 1,
            },
          ],
        ],
      },
      layout: panel,
    },
  ]
}

function heading(text: string, alignment: 'left' | 'right' = 'left'): TableCell {
  return { text, color: muted, fontSize: sizes.heading, alignment, noWrap: true }
}

function figure(text: string): TableCell {
  return { text, alignment: 'right', noWrap: true }
}

function strong(text: string, alignment: 'left' | 'right' = 'right'): TableCell {
  return { text, alignment, bold: true, noWrap: true }
}

/** Draws a line under each row, and a thicker one under the header. */
const ruled: CustomTableLayout = {
  hLineWidth: (index, { table }) => (index === 0 ? 0 : index === table.headerRows || index === 1 ? 1 : 0.6),
  vLineWidth: () => 0,
  hLineColor: (index, { table }) => (index === 1 && table.headerRows !== 0 ? ink : hairline),
  paddingLeft: index => (index === 0 ? 0 : padding.left),
  paddingRight: (index, { table }) => (index === (table.widths?.length ?? 0) - 1 ? 0 : padding.right),
  paddingTop: (index, { table }) => (index === 0 && table.headerRows !== 0 ? 0 : 7),
  paddingBottom: (index, { table }) => (index === 0 && table.headerRows !== 0 ? 4 : 6),
}

const panelPadding = 14
const panel: CustomTableLayout = {
  hLineWidth: () => 0,
  vLineWidth: () => 0,
  fillColor: () => wash,
  paddingLeft: index => (index === 0 ? panelPadding : 0),
  paddingRight: index => (index === 1 ? panelPadding : 0),
  paddingTop: () => 11,
  paddingBottom: () => 9,
}
