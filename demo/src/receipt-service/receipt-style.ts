import { boxMissingGlyphs } from './format.js'
import { charactersIn } from './text-width.js'

export const ink = '#1d2433'
export const muted = '#6b7385'
export const accent = '#0b5d57'
export const hairline = '#dfe3ea'
export const wash = '#f3f7f6'
/** The shop's typeface; it has Latin alone, so it is for the seller's own words. */
export const display = 'Fraunces'

/** A4 in points, and what stays free around the text. */
export const page = { width: 595.28, height: 841.89, margin: 56, top: 54, bottom: 84 }
export const contentWidth = page.width - 2 * page.margin

/**
 * Text that fits into a width, in points: it may break inside whatever is longer than a line. Only a plain space is a
 * place to break by itself, so no-break spaces count as a part of the word.
 */
export function breakable(text: string, width: number, fontSize: number): string {
  const longWord = new RegExp(`[^ ]{${charactersIn(width, fontSize)}}(?=[^ ])`, 'gu')
  return boxMissingGlyphs(text).replaceAll(longWord, '$&\u200B')
}
