import type { AccessToken } from './access-token.js'
import type { Refusal } from './errors.js'

/** What a token comes to: it may be used, or it is refused. */
export type Outcome = AccessToken | Refusal
