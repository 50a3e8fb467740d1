import type { Content, TDocumentDefinitions } from 'pdfmake/interfaces.js'
import { isPrintable } from './format.js'
import type { Receipt } from '../receipts-api.js'
import { receiptJson } from './receipt.js'
import { instantOf } from './instant.js'
import { accent, breakable, contentWidth, display, hairline, ink, muted, page } from './receipt-style.js'
import { tables } from './receipt-tables.js'
import { viewReceipt, type ReceiptView } from './receipt-view.js'
import { seller } from './seller.js'

const textSize = 9.5
/** Width of the columns for buyer, method and date, in points. */
const partyWidths = { paidWith: 120, date: 110, gap: 36 }
const buyerWidth = contentWidth - partyWidths.paidWith - partyWidths.date - 2 * partyWidths.gap

/**
 * Returns the receipt as a pdfmake document. The same receipt gives the same bytes, because the only date is the
 * payment's. Text of the order is only used in text nodes, so it is never interpreted as a definition.
 */
export function receiptDocument(receipt: Receipt): TDocumentDefinitions {
  const view = viewReceipt(receipt)
  const paidAt = instantOf(receipt.paidAt)
  return {
    pageSize: 'A4',
    pageMargins: [page.margin, page.top, page.margin, page.bottom],
    language: view.language,
    version: '1.7',
    displayTitle: true,
    info: {
      title: `${view.labels.receipt} ${view.number}`,
      author: seller.name,
      creator: seller.name,
      producer: 'pdfmake',
      creationDate: paidAt,
      modDate: paidAt,
    },
    files: { 'receipt.json': attachment(receipt, paidAt) },
    defaultStyle: { font: 'Roboto', fontSize: textSize, color: ink, lineHeight: 1.25 },
    content: [masthead(view), parties(view), ...tables(view), closing(view, receipt)],
    footer: (current, count) => footer(view, current, count),
  }
}

/** pdfkit's options for an embedded file, which pdfmake's types lack. The fixed dates keep the bytes the same. */
interface Attachment {
  src: string
  name: string
  type: string
  description: string
  creationDate: Date
  modifiedDate: Date
}

function attachment(receipt: Receipt, paidAt: Date): Attachment {
  const json = Buffer.from(receiptJson(receipt)).toString('base64')
  return {
    src: `data:application/json;base64,${json}`,
    name: 'receipt.json',
    type: 'application/json',
    description: 'This receipt for machines',
    creationDate: paidAt,
    modifiedDate: paidAt,
  }
}

function masthead({ labels, number }: ReceiptView): Content {
  return {
    columns: [
      {
        width: 40,
        canvas: [
          { type: 'rect', x: 0, y: 0, w: 30, h: 30, r: 7, color: accent },
          {
            type: 'polyline',
            closePath: true,
            color: '#ffffff',
            points: [
              { x: 14, y: 6 },
              { x: 14, y: 21 },
              { x: 6.5, y: 21 },
            ],
          },
          {
            type: 'polyline',
            closePath: true,
            color: '#9fd3c7',
            points: [
              { x: 16, y: 9 },
              { x: 16, y: 21 },
              { x: 23.5, y: 21 },
            ],
          },
          {
            type: 'line',
            x1: 6.5,
            y1: 24.2,
            x2: 23.5,
            y2: 24.2,
            lineWidth: 1.6,
            lineColor: '#ffffff',
            lineCap: 'round',
          },
        ],
      },
      {
        width: '*',
        stack: [
          { text: seller.name, font: display, fontSize: 15, color: ink, lineHeight: 1.1 },
          { text: seller.claim, fontSize: 8.5, color: muted },
        ],
      },
      {
        width: 'auto',
        stack: [
          {
            text: labels.receipt,
            font: display,
            fontSize: 21,
            color: accent,
            alignment: 'right',
            lineHeight: 1,
          },
          {
            text: [
              { text: `${labels.number} `, color: muted },
              { text: number, bold: true },
            ],
            alignment: 'right',
            margin: [0, 3, 0, 0],
          },
        ],
      },
    ],
    margin: [0, 0, 0, 34],
  }
}

function parties({ labels, buyer, date, paidWith }: ReceiptView): Content {
  const buyerLines = buyer.name === undefined ? [buyer.email] : [buyer.name, buyer.email]
  return {
    columns: [
      {
        width: '*',
        stack: [
          caption(labels.billedTo),
          ...buyerLines.map((line, index) => ({
            text: breakable(line, buyerWidth, textSize),
            bold: index === 0,
          })),
        ],
      },
      {
        width: partyWidths.paidWith,
        stack: [caption(labels.paidWith), { text: breakable(paidWith, partyWidths.paidWith, textSize) }],
      },
      {
        width: partyWidths.date,
        stack: [caption(labels.date), { text: breakable(date, partyWidths.date, textSize) }],
      },
    ],
    columnGap: partyWidths.gap,
    margin: [0, 0, 0, 30],
  }
}

function closing({ labels, paymentId }: ReceiptView, receipt: Receipt): Content {
  const typed = [
    receipt.buyer.name ?? '',
    receipt.paidWith,
    ...receipt.lines.flatMap(line => [line.title, line.author ?? '']),
  ]
  const missing = !typed.every(isPrintable)
  return {
    unbreakable: true,
    margin: [0, 26, 0, 0],
    stack: [
      { text: labels.thanks, fontSize: 10.5, italics: true, color: accent },
      { text: `${labels.payment} ${paymentId}`, color: muted, fontSize: 8, margin: [0, 8, 0, 0] },
      ...(missing ? [{ text: labels.someCharactersMissing, color: muted, fontSize: 8 }] : []),
    ],
  }
}

function footer({ labels, number }: ReceiptView, current: number, count: number): Content {
  const gap = '   ·   '
  return {
    margin: [page.margin, 22, page.margin, 0],
    stack: [
      {
        canvas: [
          { type: 'line', x1: 0, y1: 0, x2: contentWidth, y2: 0, lineWidth: 0.6, lineColor: hairline },
        ],
      },
      {
        columns: [
          { width: '*', text: [seller.name, ...seller.address].join(gap), color: muted, fontSize: 7.5 },
          {
            width: 'auto',
            text: [`${labels.receipt} ${number}`, labels.page(current, count)].join(gap),
            color: muted,
            fontSize: 7.5,
          },
        ],
        margin: [0, 9, 0, 0],
      },
      { text: [`${labels.vatId} ${seller.vatId}`, seller.email].join(gap), color: muted, fontSize: 7.5 },
    ],
  }
}

function caption(text: string): Content {
  return { text, color: muted, fontSize: 8, margin: [0, 0, 0, 3] }
}
