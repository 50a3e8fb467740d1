const longestValue = 160
/**
 * Matches a complete or truncated JWT, so that a token inside a claim is not logged. Every JWT starts with the
 * base64url encoding of `{"` or `{ `.
 */
const token = /\bey[JA][\w-]{8,}[\w.-]*/g
/** Matches control characters, line separators, and format characters such as those that change the text direction. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * Formats a value from an unverified token for the log. Long values are truncated to 160 characters, tokens in the
 * value are replaced, and invisible characters are escaped.
 * @param value any JSON value
 */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  const text = JSON.stringify(value)
    .replaceAll(token, '(a token)')
    .replaceAll(invisible, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text
}
