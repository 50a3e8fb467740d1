/** The longest delay of `setTimeout`, which treats longer delays as 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Parses a `Retry-After` header in seconds or as a date (RFC 9110 §10.2.3). Returns milliseconds, or undefined if the
 * header is missing or invalid.
 * @param now the current time in milliseconds since the epoch
 * @param atMostMs the maximum result in milliseconds
 */
export function readRetryAfter(
  value: string | string[] | null | undefined,
  now: number,
  atMostMs: number = longestTimerMs,
): number | undefined {
  const [text] = [value].flat()
  if (text === null || text === undefined) return undefined
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith(' GMT')
      ? Date.parse(text) - now
      : Number.NaN
  return ms >= 0 ? Math.min(ms, atMostMs) : undefined
}
