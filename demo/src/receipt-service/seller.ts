/** Who sells: the head of every receipt. Invented, like the books. */
export const seller = {
  name: 'Halyard & Quill',
  claim: 'Books worth a second voyage',
  address: ['Lantern Quay 7', '20457 Hamburg', 'Germany'],
  vatId: 'DE 999 999 999',
  email: 'hello@halyard-quill.example',
  /** Every time of a purchase is shown in it, and it decides on which day a receipt is dated. */
  timeZone: 'Europe/Berlin',
} as const
