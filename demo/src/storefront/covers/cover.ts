import type { Book } from '../../catalogue.js'
import { motifs, type Motif } from './motifs.js'
import { seededRandom } from './random.js'

/** How one book looks. */
interface Design {
  readonly motif: Motif
  readonly paper: string
  readonly ink: string
  readonly colours: readonly [string, string, string]
}

const designs: Readonly<Record<string, Design>> = {
  'B-1001': {
    motif: motifs.lighthouse,
    paper: '#12344d',
    ink: '#f7ead0',
    colours: ['#7fb3c8', '#f7ead0', '#f2b544'],
  },
  'B-1002': {
    motif: motifs.rivers,
    paper: '#e9e2cd',
    ink: '#1f4a45',
    colours: ['#a9c9bd', '#4d8f8a', '#1f5c63'],
  },
  'B-1003': {
    motif: motifs.clockwork,
    paper: '#f3e3c3',
    ink: '#4a2a1b',
    colours: ['#c98d3c', '#8c4a2a', '#4a2a1b'],
  },
  'B-1004': {
    motif: motifs.island,
    paper: '#c9583b',
    ink: '#fff1dc',
    colours: ['#d97a55', '#eeb17c', '#fff1dc'],
  },
  'B-1005': {
    motif: motifs.loaf,
    paper: '#2b2146',
    ink: '#ffe9c7',
    colours: ['#2b2146', '#c9803f', '#ffe9c7'],
  },
  'B-1006': {
    motif: motifs.punchedCard,
    paper: '#f4efe4',
    ink: '#22262e',
    colours: ['#ddd5c3', '#22262e', '#d8412f'],
  },
  'S-2001': {
    motif: motifs.pines,
    paper: '#dfe8dc',
    ink: '#17382c',
    colours: ['#a8c3ae', '#557f69', '#1c4434'],
  },
  'S-2002': {
    motif: motifs.constellations,
    paper: '#10182f',
    ink: '#e8e4d3',
    colours: ['#2c3a63', '#7d8fc2', '#f4e6b2'],
  },
}
const plain: Design = {
  motif: motifs.rivers,
  paper: '#0b5d57',
  ink: '#ffffff',
  colours: ['#2f7d75', '#9fd3c7', '#ffffff'],
}

/**
 * Returns the cover of a book as inline SVG, which uses the fonts of the page. Screen readers skip it, because the page
 * contains the same text.
 */
export function cover({ sku, title, author }: Pick<Book, 'sku' | 'title' | 'author'>): string {
  const { motif, paper, ink, colours } = designs[sku] ?? plain
  const lines = breakLines(title, 15)
  const size = lines.length > 3 ? 27 : 31
  const words = lines.map(
    (line, index) => `<tspan x="24" y="${66 + index * size * 1.08}">${escapeXml(line)}</tspan>`,
  )
  return `<svg class="cover" viewBox="0 0 300 440" aria-hidden="true" focusable="false"><rect width="300" height="440" fill="${paper}"/>${motif(
    seededRandom(sku),
    colours,
  )}<text class="cover-title" fill="${ink}" font-size="${size}">${words.join('')}</text><text class="cover-author" x="24" y="31" fill="${ink}">${escapeXml(author)}</text></svg>`
}

/** Breaks a title between words into lines of about this many letters. */
function breakLines(title: string, longest: number): string[] {
  const lines: string[] = []
  for (const word of title.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && `${last} ${word}`.length <= longest) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
