import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import type { Receipt } from '../receipts-api.js'
import { viewReceipt } from './receipt-view.js'
import { seller } from './seller.js'

// Template and style are read from src/, so they need no build step.
const source = (name: string): string =>
  readFileSync(new URL(`../../src/receipt-service/${name}`, import.meta.url), 'utf8')
const style = source('receipt-page.css')
const eta = new Eta({ autoEscape: true })
const template = eta.compile(source('receipt-page.eta'))

/** The page may load its own style, by hash (CSP Level 3 §2.3.1), and the fonts of the shop. */
export const receiptPagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; font-src 'self'; base-uri 'none'; form-action 'none'`

/** Renders the receipt as an accessible page, because pdfmake cannot create accessible PDF (PDF/UA). */
export function receiptPage(receipt: Receipt): string {
  return eta.render(template, { view: viewReceipt(receipt), paidAt: receipt.paidAt, seller, style })
}
