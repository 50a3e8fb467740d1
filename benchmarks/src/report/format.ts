import type { Interval } from '../harness/interval.js'
import type { Fact } from '../questions/question.js'

/** Three significant digits, or thousands separators. */
export function number(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)))
}

/** A ratio: the median, with its interval in brackets. */
export function ratioText(value: Interval | undefined): string {
  return value === undefined
    ? '–'
    : `**${value.median.toFixed(3)}** (${value.low.toFixed(2)}–${value.high.toFixed(2)})`
}

export function factValue({ value, low, high, unit }: Fact): string {
  const range = low === undefined || high === undefined ? '' : ` (${number(low)}–${number(high)})`
  return `${number(value)}${range} ${unit}`
}
