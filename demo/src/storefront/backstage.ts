import type { Journal } from '../live/journal.js'

/** What makes the shop a demonstration: it can show what goes on behind it. */
export interface Backstage {
  readonly journal: Journal
}
