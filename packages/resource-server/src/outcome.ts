import type { AccessToken } from './access-token.js'
import type { Refusal } from './errors.js'

/** The result of verifying a token: the verified token, or the refusal. */
export type Outcome = AccessToken | Refusal
