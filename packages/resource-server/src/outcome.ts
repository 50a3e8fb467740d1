import type { AccessToken } from './access-token.js'
import type { Refusal } from './errors.js'

/** The result of verification: the verified token or the refusal. */
export type Outcome = AccessToken | Refusal
