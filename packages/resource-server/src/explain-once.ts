import { takeOptions } from 'declared-options'
import { createVerifier } from './create-verifier.js'
import { InvalidOptionError } from './errors.js'
import type { Explanation } from './explain/explanation.js'
import type { VerifierOptions } from './options/verifier-options.js'
import type { TokenRequirement } from './verify-by-rule.js'

/** The options of `createVerifier`, and the rule that the token must meet. */
export interface ExplainOptions extends VerifierOptions {
  /**
   * The access rule that the token must satisfy, in the form of a route's `config.oauth`. By default, any valid token
   * is accepted.
   */
  rule?: TokenRequirement
}

/**
 * Runs every check on a token, even if an earlier check has failed. For each check, the explanation contains the
 * result, the values found, the option that controls the check and, after a failure, how to fix it. To explain several
 * tokens, call `explain` on a verifier or on `fastify.oauth` instead.
 *
 * @example
 * ```ts
 * const { accepted, checks } = await explain(token, { issuer, audience })
 * for (const { name, detail, fix } of checks) if (fix !== undefined) console.log(name, detail, fix)
 * ```
 * @throws {InvalidOptionError} if an option is invalid. The message contains the option, the value received and the
 * value expected
 * @throws {InvalidRouteError} if the rule is invalid
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
