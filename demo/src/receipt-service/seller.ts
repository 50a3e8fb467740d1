/** Who sells: the head of every receipt. Invented, like the books. */
export const seller = {
  name: 'Halyard & Quill',
  claim: 'Books worth a second voyage',
  address: ['Lantern Quay 7', '20457 Hamburg', 'Germany'],
  vatId: 'DE 999 999 999',
  email: 'hello@halyard-quill.example',
} as const
