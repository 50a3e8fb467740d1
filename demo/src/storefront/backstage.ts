import type { Levers } from '../faults/switches.js'
import type { Journal } from '../live/journal.js'
import type { TryIt } from '../try-it.js'

/** What makes the shop a demonstration: it can show what goes on behind it, and break it. */
export interface Backstage {
  readonly journal: Journal
  /** Undefined with a real issuer. */
  readonly levers: Levers | undefined
  /** Undefined with a real issuer, which has no client for visitors. */
  readonly tryIt: TryIt | undefined
}
