import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { move } from 'piscina'
import pdfmake from 'pdfmake'
import { receiptDocument } from './receipt-document.js'
import type { Receipt } from '../receipts-api.js'

// The fonts are loaded once into pdfmake's virtual file system. After that, pdfmake may not read any URL or file.
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

/** Renders one receipt; its bytes are transferred to the main thread without a copy. */
export default async function render(receipt: Receipt): Promise<Uint8Array> {
  const pdf = new Uint8Array(await pdfmake.createPdf(receiptDocument(receipt)).getBuffer())
  return move(pdf) as Uint8Array
}
