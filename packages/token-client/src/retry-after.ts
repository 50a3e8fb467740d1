/** `setTimeout` counts in 32 bits, and treats longer waits as 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/**
 * `Retry-After` in milliseconds (RFC 9110 §10.2.3), whether it is in seconds or a date. Undefined if it is missing or
 * invalid.
 * @param now milliseconds since the epoch, which a date is compared with
 * @param atMostMs longer waits are cut to this
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
