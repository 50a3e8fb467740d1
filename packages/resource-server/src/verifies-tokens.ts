import type { AccessToken } from './access-token.js'
import type { Catalogue } from './authorize/requirement.js'
import { explainToken } from './explain/explain-token.js'
import type { Explanation } from './explain/explanation.js'
import type { Scope, TokenClaims } from './oauth-types.js'
import { revokesTokens, type RevokesTokens } from './revocation/revokes-tokens.js'
import {
  createRuleReader,
  createVerifyByRule,
  readTokenRule,
  type TokenRequirement,
  type VerifyByRuleSteps,
} from './verify-by-rule.js'

/** Verifies access tokens that do not come in an `Authorization` header, such as those in a queue or a WebSocket message. */
export interface VerifiesTokens<S extends string = Scope, C = TokenClaims> extends RevokesTokens {
  /**
   * Verifies a token as for a request.
   * @param rule the requirements, as in `config.oauth` of a route. Default: any valid token is accepted
   * @throws {RefusedTokenError} the error that a request would get, such as `InvalidTokenError` (`OAUTH_INVALID_TOKEN`),
   * with the `reason` and the `detail` of the log
   * @throws {GuardFailedError} if the rule is invalid; `cause` says why
   */
  verify(token: string, rule?: TokenRequirement<S>): Promise<AccessToken<S, C>>
  /**
   * Lists every check of a token with its result, the values found, the option that controls it and how to fix it. It
   * makes the same checks as `verify`, and neither counts nor logs anything.
   * @param rule the requirements, as in `config.oauth` of a route. Default: any valid token is accepted
   * @throws {InvalidRouteError} if the rule is invalid
   */
  explain(token: string, rule?: TokenRequirement<S>): Promise<Explanation>
}

/** The dependencies of token verification outside requests. */
export interface VerifiesTokensSteps extends Omit<VerifyByRuleSteps, 'readRule' | 'times'> {
  readonly settings: Catalogue & VerifyByRuleSteps['times']
}

/** @param owner precedes the name of the function in errors about rules */
export function verifiesTokens(
  { settings, ...steps }: VerifiesTokensSteps,
  owner: '' | 'oauth.',
): VerifiesTokens {
  const { verifier } = steps
  const readRule = createRuleReader(settings)
  return {
    verify: createVerifyByRule({ ...steps, readRule, times: settings }, `${owner}verify`),
    explain: async (token, rule) =>
      explainToken(token, {
        verifier,
        times: settings,
        requirement: readTokenRule(rule, `${owner}explain`, readRule),
      }),
    ...revokesTokens(verifier.revocations),
  }
}
