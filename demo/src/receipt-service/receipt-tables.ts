import type { Content, CustomTableLayout, TableCell } from 'pdfmake/interfaces.js'
import { accent, breakable, hairline, ink, muted, wash } from './receipt-style.js'
import type { ReceiptView } from './receipt-view.js'

/** What was bought, a row for each line of the order. */
export function books({ labels, lines }: ReceiptView): Content {
  const head = [
    heading(labels.book),
    heading(labels.quantity, 'right'),
    heading(labels.price, 'right'),
    heading(labels.vat, 'right'),
    heading(labels.amount, 'right'),
  ]
  const rows = lines.map((line): TableCell[] => [
    {
      stack: [
        { text: breakable(line.title, 34), bold: true, fontSize: 10 },
        ...(line.author === undefined
          ? []
          : [{ text: breakable(line.author, 40), color: muted, fontSize: 8.5 }]),
      ],
    },
    figure(line.quantity),
    figure(line.unitPrice),
    figure(line.vatRate),
    figure(line.total),
  ])
  return {
    table: {
      headerRows: 1,
      dontBreakRows: true,
      widths: ['*', 'auto', 'auto', 'auto', 'auto'],
      body: [head, ...rows],
    },
    layout: ruled,
    margin: [0, 0, 0, 18],
  }
}

/** The sums by rate of VAT, and the total; never torn apart by the end of a page. */
export function sums({ labels, vat, total }: ReceiptView): Content {
  const head = [
    heading(labels.vatRate),
    heading(labels.net, 'right'),
    heading(labels.vat, 'right'),
    heading(labels.gross, 'right'),
  ]
  const rates = vat.map((line): TableCell[] => [
    { text: line.rate, color: muted },
    figure(line.net),
    figure(line.vat),
    figure(line.gross),
  ])
  return {
    unbreakable: true,
    stack: [
      {
        columns: [
          { width: '*', text: labels.pricesIncludeVat, color: muted, fontSize: 8.5, margin: [0, 6, 0, 0] },
          {
            width: 'auto',
            table: { widths: [62, 'auto', 'auto', 'auto'], body: [head, ...rates] },
            layout: ruled,
          },
        ],
        columnGap: 28,
        margin: [0, 0, 0, 16],
      },
      {
        table: {
          widths: ['*', 'auto'],
          body: [
            [
              { text: labels.total, fontSize: 12, bold: true, margin: [0, 3, 0, 0] },
              {
                text: total,
                fontSize: 17,
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
    ],
  }
}

function heading(text: string, alignment: 'left' | 'right' = 'left'): TableCell {
  return { text, color: muted, fontSize: 8, alignment, noWrap: true }
}

function figure(text: string): TableCell {
  return { text, alignment: 'right', noWrap: true }
}

/** A line under each row, a stronger one under the head. */
const ruled: CustomTableLayout = {
  hLineWidth: index => (index === 0 ? 0 : index === 1 ? 1 : 0.6),
  vLineWidth: () => 0,
  hLineColor: index => (index === 1 ? ink : hairline),
  paddingLeft: index => (index === 0 ? 0 : 12),
  paddingRight: (index, { table }) => (index === (table.widths?.length ?? 0) - 1 ? 0 : 6),
  paddingTop: index => (index === 0 ? 0 : 7),
  paddingBottom: index => (index === 0 ? 4 : 6),
}

const panel: CustomTableLayout = {
  hLineWidth: () => 0,
  vLineWidth: () => 0,
  fillColor: () => wash,
  paddingLeft: () => 14,
  paddingRight: () => 14,
  paddingTop: () => 11,
  paddingBottom: () => 9,
}
