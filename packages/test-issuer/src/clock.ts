import { show } from 'declared-options'

/** The issuer's clock. Pass `now` to the `clock` option of a plugin, so that the plugin uses the same time as the issuer. */
export interface TestClock {
  /** Returns the current time in milliseconds since the epoch. */
  readonly now: () => number
  /** Advances the clock by the given number of milliseconds. A negative number sets the clock back. */
  advance(ms: number): void
  /** Sets the clock to a date, or to a time in milliseconds since the epoch. The clock continues to run from that time. */
  set(time: number | Date): void
}

export function createClock(source: () => number): TestClock {
  let offset = 0
  return {
    now: () => source() + offset,
    advance(ms) {
      if (!Number.isFinite(ms))
        throw new TypeError(`oauth-test-issuer: clock.advance expects milliseconds, not ${show(ms)}`)
      offset += ms
    },
    set(time) {
      const ms = Number(time)
      if (!Number.isFinite(ms))
        throw new TypeError(
          `oauth-test-issuer: clock.set expects milliseconds or a Date, not ${time instanceof Date ? String(time) : show(time)}`,
        )
      offset = ms - source()
    },
  }
}
