/** `setTimeout` counts in 32 bits, and takes more than that for 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/**
 * How long a server asks to be left alone, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
 * Undefined where it does not say, or says something else.
 * @param now milliseconds since the epoch: a date counts from here
 * @param atMostMs what longer waits are cut to
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
