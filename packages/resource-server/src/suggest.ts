/** The value as it stands in an error message, clipped; of objects their names only, since there may be secrets in them. */
export function show(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.map(showOne).join(',')}]` : showOne(value)
  return text.slice(0, 100)
}

function showOne(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const names = Object.keys(value).join(', ')
  return names === '' ? '{}' : `{ ${names} }`
}

/** ` (did you mean "…"?)`, when one of the known names is close; else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const close = known
    .map(candidate => ({ candidate, away: edits(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, away }) => away <= Math.max(2, candidate.length / 3))
    .sort((a, b) => a.away - b.away)[0]
  return close === undefined ? '' : ` (did you mean ${show(close.candidate)}?)`
}

/** Levenshtein distance: how many characters to add, drop or change. For short names, at boot. */
export function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change))
    }
    row = next
  }
  return row[to.length] ?? 0
}
