const longestValue = 160
/**
 * Matches a complete or truncated JWT, because a claim can contain a token. The pattern matches the base64url encoding
 * of `{"` or `{ `, with which the header of a JWT begins.
 */
const token = /\bey[JA][\w-]{8,}[\w.-]*/g
/** Matches control characters, line separators, and format characters such as those that change the text direction. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * Formats a value from an unverified token for the log. The text has at most 160 characters of the value. Tokens in the
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
