import { show } from 'declared-options'

/** The issuer's time; `now` may be given to a plugin's `clock` option, so that both move together. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Advances the time by this many milliseconds; a negative number sets it back. */
  advance(ms: number): void
  /** Sets the time to milliseconds since the epoch; it continues from there. */
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
