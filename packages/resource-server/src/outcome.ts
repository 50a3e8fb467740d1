import type { AccessToken } from './access-token.js'
import type { Refusal } from './errors.js'

/** The result of verifying a token: it may be used, or it is refused. */
export type Outcome = AccessToken | Refusal
