import type { Receipt } from 'bookstore-demo/dist/receipts-api.js'
import type { ReceiptRequest } from 'bookstore-demo/dist/receipts-api.js'

/** Three books, as the bookstore sells them. */
export const receiptRequest: ReceiptRequest = {
  paidAt: '2026-11-25T10:00:00.000Z',
  locale: 'en-GB',
  currency: 'EUR',
  buyer: { email: 'ada@example.com', name: 'Ada Lovelace' },
  paidWith: 'Visa ending in 4242',
  lines: [
    {
      sku: 'BK-1',
      title: 'On Walking',
      author: 'A. Writer',
      quantity: 1,
      unitPrice: 1_800,
      vatRate: 700,
      total: 1_800,
    },
    {
      sku: 'BK-2',
      title: 'The Sea at Night',
      author: 'B. Writer',
      quantity: 2,
      unitPrice: 1_200,
      vatRate: 700,
      total: 2_400,
    },
    {
      sku: 'BK-3',
      title: 'Bread',
      author: 'C. Writer',
      quantity: 1,
      unitPrice: 2_400,
      vatRate: 700,
      total: 2_400,
    },
  ],
  vat: [{ rate: 700, net: 6_168, vat: 432, gross: 6_600 }],
  total: 6_600,
}

export const receipt: Receipt = {
  ...receiptRequest,
  paymentId: '6f1a2b1e-6c2d-4b8e-9a53-0f6f4c1d2e3a',
  number: 'HQ-2026-000001',
}
