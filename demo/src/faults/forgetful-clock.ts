/** A clock that can jump ahead: to the client that goes by it, all its tokens end, and all its waiting. */
export interface ForgetfulClock {
  /** Milliseconds since the epoch, and what was jumped. */
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
