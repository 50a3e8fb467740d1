/** The value as it stands in an error message: JSON, clipped. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100)
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
