/** Maximum width of digits and separators in Roboto, in ems. */
const digitWidth = 0.57
/** Width of the widest glyph that `format.ts` allows, in Roboto and every other font of a receipt, in ems. */
const widest = 1.19

/** Returns an upper bound for the width of a text, in points. */
export function widthAtMost(text: string, fontSize: number): number {
  const ems = Array.from(text).reduce(
    (sum, character) => sum + (/[\d.,'’\s:€¥%·-]/u.test(character) ? digitWidth : widest),
    0,
  )
  return Math.ceil(ems * fontSize)
}

/** Returns how many characters always fit into a width, in points. */
export function charactersIn(width: number, fontSize: number): number {
  return Math.max(1, Math.floor(width / (fontSize * widest)))
}
