import type { AccessToken } from './access-token.js'
import type { Refusal } from './errors.js'

/** The result of verifying a token: either the verified token or a refusal. */
export type Outcome = AccessToken | Refusal
