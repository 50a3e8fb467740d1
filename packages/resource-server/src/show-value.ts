const longestValue = 160
/**
 * Matches a JWT or its beginning, because a claim can contain a token. The header of a JWT begins with `{"` or `{ `.
 */
const token = /\bey[JA][\w-]{8,}[\w.-]*/g
/** Matches control characters, format characters such as those that reverse text, and line separators. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * Formats a value of an unverified token for the log: at most 160 characters, with tokens replaced and invisible
 * characters escaped.
 * @param value any JSON value
 */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  const text = JSON.stringify(value)
    .replaceAll(token, '(a token)')
    .replaceAll(invisible, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}
