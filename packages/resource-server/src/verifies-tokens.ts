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

/**
 * Verifies access tokens that do not come from an `Authorization` header, such as tokens in queue messages or WebSocket
 * messages.
 */
export interface VerifiesTokens<S extends string = Scope, C = TokenClaims> extends RevokesTokens {
  /**
   * Verifies a token in the same way as a token sent in a request.
   * @param rule the requirements, as in a route's `config.oauth`. By default, any valid token is accepted
   * @throws {RefusedTokenError} if the token is refused. The error is the same as for a request, such as
   * `InvalidTokenError` (`OAUTH_INVALID_TOKEN`), and also has the `reason` and the `detail` that are logged
   * @throws {GuardFailedError} if the rule is invalid. The error in `cause` contains the reason
   */
  verify(token: string, rule?: TokenRequirement<S>): Promise<AccessToken<S, C>>
  /**
   * Runs every check on a token, even if an earlier check has failed. The returned list contains, for each check, the
   * result, the values found, the option that controls the check and, after a failure, how to fix it. The checks are
   * the same as in `verify`, but the result is neither counted nor logged.
   * @param rule the requirements, as in a route's `config.oauth`. By default, any valid token is accepted
   * @throws {InvalidRouteError} if the rule is invalid
   */
  explain(token: string, rule?: TokenRequirement<S>): Promise<Explanation>
}

/** The dependencies for verifying tokens outside a request. */
export interface VerifiesTokensSteps extends Omit<VerifyByRuleSteps, 'readRule' | 'times'> {
  readonly settings: Catalogue & VerifyByRuleSteps['times']
}

/** @param owner the prefix of function names in error messages, such as `oauth.` in `oauth.verify` */
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
