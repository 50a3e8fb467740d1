import { takeOptions } from 'declared-options'
import { createVerifier } from './create-verifier.js'
import { InvalidOptionError } from './errors.js'
import type { Explanation } from './explain/explanation.js'
import type { VerifierOptions } from './options/verifier-options.js'
import type { TokenRequirement } from './verify-by-rule.js'

/** What `explain` takes: the options of `createVerifier`, and what is demanded of the token. */
export interface ExplainOptions extends VerifierOptions {
  /** As in a route's `config.oauth`. Default: any valid token will do. */
  rule?: TokenRequirement
}

/**
 * Lists every check of a token with its result, what it found, the option that controls it and how to fix it. It runs the
 * steps of verification and goes on after a failure. Use `explain` of a verifier, or `fastify.oauth.explain`, for several
 * tokens.
 *
 * @example
 * ```ts
 * const { accepted, checks } = await explain(token, { issuer, audience })
 * for (const { name, detail, fix } of checks) if (fix !== undefined) console.log(name, detail, fix)
 * ```
 * @throws {InvalidOptionError} naming the option, the value received and what was expected
 * @throws {InvalidRouteError} if the rule makes no sense
 */
export async function explain(token: string, options: ExplainOptions): Promise<Explanation> {
  const { rule, ...given } = takeOptions(options, { toError, subject: 'explain' })
  const verifier = await createVerifier({ ...given, prefetch: 'lazy' })
  try {
    return await verifier.explain(token, rule as TokenRequirement | undefined)
  } finally {
    await verifier.close()
  }
}

const toError = (message: string): Error => new InvalidOptionError(message)
