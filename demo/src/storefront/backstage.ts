import type { Levers } from '../faults/switches.js'
import type { Journal } from '../live/journal.js'

/** What makes the shop a demonstration: it can show what goes on behind it, and break it. */
export interface Backstage {
  readonly journal: Journal
  /** Absent where the issuer is somebody else's. */
  readonly levers: Levers | undefined
}
