import { boxMissingGlyphs } from './format.js'

export const ink = '#1d2433'
export const muted = '#6b7385'
export const accent = '#0b5d57'
export const hairline = '#dfe3ea'
export const wash = '#f3f7f6'

/** Text that wraps inside a word longer than a line, instead of running off the page. */
export function breakable(text: string, longestWord: number): string {
  const longWord = new RegExp(`\\S{${longestWord}}(?=\\S)`, 'gu')
  return boxMissingGlyphs(text).replaceAll(longWord, '$&\u200B')
}
