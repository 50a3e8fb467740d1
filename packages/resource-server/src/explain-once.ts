import { takeOptions } from 'declared-options'
import { createVerifier } from './create-verifier.js'
import { InvalidOptionError } from './errors.js'
import type { Explanation } from './explain/explanation.js'
import type { VerifierOptions } from './options/verifier-options.js'
import type { TokenRequirement } from './verify-by-rule.js'

/** The options of `createVerifier`, and the rule for the token. */
export interface ExplainOptions extends VerifierOptions {
  /** The requirements, as in `config.oauth` of a route. Default: any valid token is accepted. */
  rule?: TokenRequirement
}

/**
 * Lists every check of a token with its result, the values found, the option that controls it and how to fix it. It
 * continues after a failure. To explain several tokens, use `explain` of a verifier, or `fastify.oauth.explain`.
 *
 * @example
 * ```ts
 * const { accepted, checks } = await explain(token, { issuer, audience })
 * for (const { name, detail, fix } of checks) if (fix !== undefined) console.log(name, detail, fix)
 * ```
 * @throws {InvalidOptionError} naming the option, the value received and the value expected
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
