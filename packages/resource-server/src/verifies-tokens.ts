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

/** Verifies access tokens from other sources than an `Authorization` header, such as a queue or a WebSocket message. */
export interface VerifiesTokens<S extends string = Scope, C = TokenClaims> extends RevokesTokens {
  /**
   * Verifies a token in the same way as the token of a request.
   * @param rule the requirements, as in `config.oauth` of a route. Default: any valid token is accepted
   * @throws {RefusedTokenError} if the token is refused. It is the error that a request would get, such as
   * `InvalidTokenError` (`OAUTH_INVALID_TOKEN`). Its `reason` and `detail` are those in the log
   * @throws {GuardFailedError} if the rule is invalid; `cause` is an error that says why
   */
  verify(token: string, rule?: TokenRequirement<S>): Promise<AccessToken<S, C>>
  /**
   * Runs every check on a token, even after a failure. For each check, the returned list has the result, the values
   * found, the option that controls the check, and how to fix a failure. The checks are those of `verify`, but the
   * result is neither counted nor logged.
   * @param rule the requirements, as in `config.oauth` of a route. Default: any valid token is accepted
   * @throws {InvalidRouteError} if the rule is invalid
   */
  explain(token: string, rule?: TokenRequirement<S>): Promise<Explanation>
}

/** The dependencies for verifying tokens that do not belong to a request. */
export interface VerifiesTokensSteps extends Omit<VerifyByRuleSteps, 'readRule' | 'times'> {
  readonly settings: Catalogue & VerifyByRuleSteps['times']
}

/** @param owner the prefix of the function's name in errors about rules, such as `oauth.` in `oauth.verify` */
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
