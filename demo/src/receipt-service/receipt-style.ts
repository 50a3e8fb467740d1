import { boxMissingGlyphs } from './format.js'
import { charactersIn } from './text-width.js'

export const ink = '#1d2433'
export const muted = '#6b7385'
export const accent = '#0b5d57'
export const hairline = '#dfe3ea'
export const wash = '#f3f7f6'
/** The shop's typeface has only Latin characters, so it is used for the seller's own texts. */
export const display = 'Fraunces'

/** The A4 page size and its margins, in points. */
export const page = { width: 595.28, height: 841.89, margin: 56, top: 54, bottom: 84 }
export const contentWidth = page.width - 2 * page.margin

/**
 * Makes a text fit into a width, in points, by allowing breaks inside words that are longer than a line. Only a plain
 * space allows a break elsewhere; a no-break space is part of the word.
 */
export function breakable(text: string, width: number, fontSize: number): string {
  const longWord = new RegExp(`[^ ]{${charactersIn(width, fontSize)}}(?=[^ ])`, 'gu')
  return boxMissingGlyphs(text).replaceAll(longWord, '$&\u200B')
}
