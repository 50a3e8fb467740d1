import { otherNames } from './other-names.js'

/**
 * Suggests the option name that the caller probably meant. Recognizes misspellings and option names from other OAuth
 * libraries.
 * @returns the suggested name, or undefined if no known name is similar
 */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const same = known.find(candidate => plain(candidate) === wanted)
  const others = Object.hasOwn(otherNames, wanted) ? otherNames[wanted] : undefined
  return same ?? others?.find(candidate => known.includes(candidate)) ?? closest(wanted, known)
}

/** Normalizes a name: `jwks_uri`, `jwks-uri` and `JWKSUri` all become `jwksuri`. */
function plain(name: string): string {
  return name
    .slice(0, 60)
    .toLowerCase()
    .replaceAll(/[^a-z\d]/g, '')
}

function closest(wanted: string, known: readonly string[]): string | undefined {
  return known
    .map(candidate => ({ candidate, distance: edits(wanted, plain(candidate)) }))
    .filter(({ candidate, distance }) => distance < wanted.length && distance <= limit(candidate))
    .sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/**
 * Returns the maximum edit distance for a suggestion. For names of up to three letters, the maximum is one edit. For
 * longer names, it is a third of the length, but at least two, because two swapped letters count as two edits.
 */
function limit({ length }: string): number {
  return Math.max(length > 3 ? 2 : 1, Math.floor(length / 3))
}

/**
 * Returns the Levenshtein distance between two names. The running time is proportional to the product of their lengths,
 * so both names must be short.
 */
function edits(from: string, to: string): number {
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
