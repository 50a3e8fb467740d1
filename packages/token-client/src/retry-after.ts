/** The maximum delay of `setTimeout` in milliseconds. `setTimeout` treats longer delays as 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Parses a `Retry-After` header, which contains seconds or a date (RFC 9110 §10.2.3). Returns the delay in
 * milliseconds, or undefined if the header is missing or invalid.
 * @param now the current time in milliseconds since the epoch
 * @param atMostMs the maximum delay to return, in milliseconds
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
