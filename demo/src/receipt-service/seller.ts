/** The seller, shown at the top of every receipt. Invented, like the books. */
export const seller = {
  name: 'Halyard & Quill',
  claim: 'Books worth a second voyage',
  address: ['Lantern Quay 7', '20457 Hamburg', 'Germany'],
  vatId: 'DE 999 999 999',
  email: 'hello@halyard-quill.example',
  /** Time zone of all times of a purchase and of the date of a receipt. */
  timeZone: 'Europe/Berlin',
} as const
