import { createHash } from 'node:crypto'
import createError from '@fastify/error'
import type { Database, Queryable } from '../database/database.js'
import type { Receipt, ReceiptRequest } from '../receipts-api.js'
import { taxYearOf } from './instant.js'
import { receiptJson } from './receipt.js'
import type { Renderer } from './render-pdf.js'

/** A stored receipt with its document. */
export interface StoredReceipt {
  readonly receipt: Receipt
  readonly pdf: Uint8Array
  /** Of the PDF, in hexadecimal. */
  readonly sha256: string
}

/** 409: this payment has a receipt with other content. */
export const ReceiptConflictError = createError(
  'RECEIPT_CONFLICT',
  'This payment has another receipt already; an issued receipt never changes.',
  409,
)

interface Row {
  content: string
  content_sha256: string
  pdf: Uint8Array | null
  pdf_sha256: string | null
}

/** The issued receipts: one per payment, numbered without gaps, never changed. */
export interface Receipts {
  /**
   * Issues the receipt of a payment. For the same content, it returns the receipt that was issued before.
   * @throws {ReceiptConflictError} for other content
   */
  issue(paymentId: string, request: ReceiptRequest): Promise<StoredReceipt & { readonly created: boolean }>
  find(paymentId: string): Promise<StoredReceipt | undefined>
  /** Returns the latest receipts, newest first. */
  latest(count: number): Promise<readonly IssuedReceipt[]>
}

/** The identity of an issued receipt. */
export interface IssuedReceipt {
  readonly number: string
  readonly paymentId: string
}

export function createReceipts(database: Database, renderer: Renderer): Receipts {
  return {
    async issue(paymentId, request) {
      const contentSha256 = sha256(receiptJson({ ...request, paymentId, number: '' }))
      const issued = await findRow(database, paymentId)
      const row =
        issued ?? (await database.transaction(tx => register(tx, { paymentId, request, contentSha256 })))
      if (row.content_sha256 !== contentSha256) throw new ReceiptConflictError()
      return { ...(await withDocument(row)), created: issued === undefined }
    },
    async find(paymentId) {
      const row = await findRow(database, paymentId)
      return row === undefined ? undefined : withDocument(row)
    },
    latest: count =>
      database.query<IssuedReceipt>(
        `select number, payment_id as "paymentId" from receipts.receipt
         order by created_at desc, number desc limit $1`,
        [count],
      ),
  }

  /**
   * The document is missing if a process died after it assigned the number. Rendering it later gives the same document.
   */
  async function withDocument(row: Row): Promise<StoredReceipt> {
    const receipt = JSON.parse(row.content) as Receipt
    if (row.pdf !== null && row.pdf_sha256 !== null) return { receipt, pdf: row.pdf, sha256: row.pdf_sha256 }
    const pdf = await renderer.render(receipt)
    const digest = sha256(pdf)
    await database.query(
      'update receipts.receipt set pdf = $2, pdf_sha256 = $3 where payment_id = $1 and pdf is null',
      [receipt.paymentId, pdf, digest],
    )
    return { receipt, pdf, sha256: digest }
  }
}

async function findRow(connection: Queryable, paymentId: string): Promise<Row | undefined> {
  const [row] = await connection.query<Row>(
    'select content, content_sha256, pdf, pdf_sha256 from receipts.receipt where payment_id = $1',
    [paymentId],
  )
  return row
}

/** Assigns the next number and stores the receipt, unless another transaction has just stored it. */
async function register(
  tx: Queryable,
  {
    paymentId,
    request,
    contentSha256,
  }: { paymentId: string; request: ReceiptRequest; contentSha256: string },
): Promise<Row> {
  const year = taxYearOf(request.paidAt)
  // Transactions that issue receipts of the same year wait here for each other.
  const [counter] = await tx.query<{ last: number }>(
    `insert into receipts.counter (year, last) values ($1, 1)
     on conflict (year) do update set last = counter.last + 1 returning last`,
    [year],
  )
  const issued = await findRow(tx, paymentId)
  if (issued !== undefined) {
    await tx.query('update receipts.counter set last = last - 1 where year = $1', [year])
    return issued
  }
  const number = `HQ-${year}-${String(counter?.last).padStart(6, '0')}`
  const content = receiptJson({ ...request, paymentId, number })
  await tx.query(
    'insert into receipts.receipt (payment_id, number, content, content_sha256) values ($1, $2, $3, $4)',
    [paymentId, number, content, contentSha256],
  )
  return { content, content_sha256: contentSha256, pdf: null, pdf_sha256: null }
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
