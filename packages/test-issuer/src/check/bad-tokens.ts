import { claimFlaws } from './claim-flaws.js'
import type { Flaw, Ingredients } from './flaw.js'
import { signatureFlaws } from './signature-flaws.js'

/** A token that a resource server must reject. */
export interface BadToken {
  readonly name: string
  readonly token: string
  /** The reason for rejecting the token. */
  readonly why: string
  /** The correct response: 401 `invalid_token`, or 403 `insufficient_scope` (RFC 6750 §3.1). */
  readonly status: 401 | 403
  readonly error: 'invalid_token' | 'insufficient_scope'
}

/** Creates one invalid token for each flaw that applies to the given profile and token content. */
export async function makeBadTokens(ingredients: Ingredients): Promise<readonly BadToken[]> {
  const applicable = Object.entries({ ...claimFlaws, ...signatureFlaws }).filter(
    ([, { unless }]) => unless?.(ingredients) !== true,
  )
  return Promise.all(applicable.map(([name, flaw]) => makeOne(name, flaw, ingredients)))
}

async function makeOne(
  name: string,
  { why, make, status }: Flaw,
  ingredients: Ingredients,
): Promise<BadToken> {
  const token = await make(ingredients)
  return status === undefined
    ? { name, why, token, status: 401, error: 'invalid_token' }
    : { name, why, token, status, error: 'insufficient_scope' }
}
