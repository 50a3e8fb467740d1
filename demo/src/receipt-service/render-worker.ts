import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { move } from 'piscina'
import pdfmake from 'pdfmake'
import { receiptDocument } from './receipt-document.js'
import type { Receipt } from '../receipts-api.js'

// The fonts are read once into pdfmake's own file system; after that it may read nothing: no URL, no file.
const require = createRequire(import.meta.url)
const vfs = require('pdfmake/js/virtual-fs.js').default as {
  writeFileSync(name: string, content: Buffer): void
}
const styles = { normal: 'Regular', bold: 'Medium', italics: 'Italic', bolditalics: 'MediumItalic' } as const
const files = Object.entries(styles).map(([style, name]) => {
  const file = `Roboto-${name}.ttf`
  vfs.writeFileSync(file, readFileSync(require.resolve(`pdfmake/fonts/Roboto/${file}`)))
  return [style, file]
})
vfs.writeFileSync(
  'Fraunces.woff',
  readFileSync(require.resolve('@fontsource/fraunces/files/fraunces-latin-600-normal.woff')),
)
pdfmake.setFonts({
  Roboto: Object.fromEntries(files) as Record<keyof typeof styles, string>,
  Fraunces: { normal: 'Fraunces.woff' },
})
pdfmake.setUrlAccessPolicy(() => false)
pdfmake.setLocalAccessPolicy(() => false)

/** Renders one receipt; the bytes are moved to the main thread, not copied. */
export default async function render(receipt: Receipt): Promise<Uint8Array> {
  const pdf = new Uint8Array(await pdfmake.createPdf(receiptDocument(receipt)).getBuffer())
  return move(pdf) as Uint8Array
}
