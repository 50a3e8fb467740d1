const longestValue = 160
/** A JWT, or the beginning of one: a claim may contain a token. Its header begins with `{"` or `{ `. */
const token = /\bey[JA][\w-]{8,}[\w.-]*/g
/** Control and format characters, among them those that reverse text, and line separators. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * A value of an unverified token for the log: at most 160 characters, tokens replaced, invisible characters escaped.
 * @param value anything that JSON can have
 */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  const text = JSON.stringify(value)
    .replaceAll(token, '(a token)')
    .replaceAll(invisible, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}
