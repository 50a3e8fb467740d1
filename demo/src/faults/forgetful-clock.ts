/** A clock that can jump ahead, which makes a token client's tokens expire and ends its back-off. */
export interface ForgetfulClock {
  /** Milliseconds since the epoch, plus all jumps. */
  readonly now: () => number
  readonly forget: () => void
}

const dayMs = 86_400_000

export function createForgetfulClock(): ForgetfulClock {
  let jumpedMs = 0
  return {
    now: () => Date.now() + jumpedMs,
    forget() {
      jumpedMs += dayMs
    },
  }
}
