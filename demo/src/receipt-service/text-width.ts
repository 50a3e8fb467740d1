/** Figures and what stands between them: as wide as a digit of Roboto, or narrower. In ems. */
const digitWidth = 0.57
/** The widest glyph of Roboto that `format.ts` lets through, and of every other font a receipt uses. In ems. */
const widest = 1.19

/** A width, in points, that the text never exceeds. */
export function widthAtMost(text: string, fontSize: number): number {
  const ems = Array.from(text).reduce(
    (sum, character) => sum + (/[\d.,'’\s:€¥%·-]/u.test(character) ? digitWidth : widest),
    0,
  )
  return Math.ceil(ems * fontSize)
}

/** How many characters fit into a width, in points, whichever they are. */
export function charactersIn(width: number, fontSize: number): number {
  return Math.max(1, Math.floor(width / (fontSize * widest)))
}
