import type { Levers } from '../faults/switches.js'
import type { Journal } from '../live/journal.js'
import type { TryIt } from '../try-it.js'

/** What the token flow page needs: the recorded requests and the switches. */
export interface Backstage {
  readonly journal: Journal
  /** Undefined with an external issuer. */
  readonly levers: Levers | undefined
  /** Undefined with an external issuer, which has no client for visitors. */
  readonly tryIt: TryIt | undefined
}
