import { createHash } from 'node:crypto'
import { receiptJson } from './receipt.js'
import { receiptPage, receiptPagePolicy } from './receipt-page.js'
import type { StoredReceipt } from './receipts.js'

/** A receipt in one media type. */
export interface Representation {
  readonly body: string | Uint8Array
  /** Entity tag (RFC 9110 §8.8.3): the SHA-256 of these bytes. */
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
}

/** The media types of a receipt; the first one is the default. */
export const mediaTypes = ['application/pdf', 'text/html', 'application/json'] as const
export type MediaType = (typeof mediaTypes)[number]

const make: Readonly<Record<MediaType, (stored: StoredReceipt) => Representation>> = {
  'application/pdf': ({ receipt, pdf, sha256 }) => ({
    body: pdf,
    etag: `"${sha256}"`,
    headers: {
      'content-type': 'application/pdf',
      'content-disposition': `inline; filename="receipt-${receipt.number}.pdf"`,
      // RFC 9530 §3
      'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    },
  }),
  'text/html': ({ receipt }) =>
    withEtag(receiptPage(receipt), {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': receiptPagePolicy,
    }),
  'application/json': ({ receipt }) =>
    withEtag(receiptJson(receipt), { 'content-type': 'application/json; charset=utf-8' }),
}

export function represent(stored: StoredReceipt, mediaType: MediaType): Representation {
  return make[mediaType](stored)
}

function withEtag(body: string, headers: Record<string, string>): Representation {
  return { body, etag: `"${createHash('sha256').update(body).digest('hex')}"`, headers }
}
