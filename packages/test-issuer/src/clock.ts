import { show } from 'declared-options'

/** The clock of the issuer. Pass `now` to the `clock` option of a plugin, so that both use the same time. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Advances the clock by this many milliseconds. A negative number sets the clock back. */
  advance(ms: number): void
  /** Sets the clock to a time in milliseconds since the epoch. The clock continues from there. */
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
