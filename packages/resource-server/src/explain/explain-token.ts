import type { AccessToken } from '../access-token.js'
import type { Times } from '../authorize/check-authentication.js'
import type { Requirement } from '../authorize/requirement.js'
import { readAccessToken } from '../claims/read-access-token.js'
import { Refusal } from '../errors.js'
import type { MaybePromise } from '../later.js'
import type { Revocations } from '../revocation/revocations.js'
import { candidateFor, type Candidate, type Shown } from '../verify/candidate.js'
import type { CachedVerifier } from '../verifier.js'
import { ruleChecks, type RuleCheck } from '../verify-by-rule.js'
import { adviceFor } from './advice.js'
import type { CheckName, ExplainedCheck, Explanation } from './explanation.js'
import { recognizeIssuer, type RecognizedIssuer } from './recognize-issuer.js'
import { showValues } from './show-values.js'

export interface ExplainSteps {
  readonly verifier: Pick<CachedVerifier, 'stepsFor' | 'revocations'>
  readonly requirement: Requirement
  readonly times: Times
}

interface Check {
  readonly name: CheckName
  readonly option: string
  readonly isReachable: boolean
  readonly run: () => MaybePromise<Refusal | undefined>
  readonly shows: () => Shown
}

type CheckOfToken = Omit<RuleCheck, 'name'> & { readonly name: CheckName }

/**
 * Runs all verification steps on a token and checks it against the given access rule. If a check fails, the remaining
 * checks still run.
 */
export async function explainToken(given: unknown, steps: ExplainSteps): Promise<Explanation> {
  const raw = typeof given === 'string' ? given : ''
  const candidate = candidateFor(raw, 'explain')
  const checks: ExplainedCheck[] = []
  for (const step of steps.verifier.stepsFor(raw)) {
    const check = {
      ...step,
      isReachable: candidate[step.needs] !== undefined,
      run: () => step.run(candidate),
      shows: () => step.shows(candidate),
    }
    checks.push(await explain(check, candidate, checks))
  }
  const token = tokenOf(candidate)
  const keyId = candidate.key?.kid
  if (token !== undefined && keyId !== undefined) steps.verifier.revocations?.noteKey(token, keyId)
  for (const check of checksOfToken(token, steps)) checks.push(await explain(check, candidate, checks))
  const failed = checks.find(({ result }) => result === 'failed')
  return Object.freeze({
    accepted: failed === undefined,
    reason: failed?.reason,
    checks,
    recognized: recognizedIn(candidate),
  })
}

/**
 * Returns the token to check against the given access rule. The token may be unverified, because the rule is checked
 * even if earlier checks have failed.
 */
function tokenOf({ decoded, issuer, introspected }: Candidate): AccessToken | undefined {
  if (introspected !== undefined) return introspected
  return decoded && issuer && readAccessToken(decoded.claims, issuer.rules)
}

function checksOfToken(
  token: AccessToken | undefined,
  { verifier: { revocations }, requirement, times }: ExplainSteps,
): readonly Check[] {
  const checks = revocations === undefined ? ruleChecks : [revokedBy(revocations), ...ruleChecks]
  return checks.map(asOfRequest).map(({ name, option, run, shows }) => ({
    name,
    option,
    isReachable: token !== undefined,
    // The casts are safe, because these functions are called only if `isReachable` is true.
    run: () => run(token as AccessToken, requirement, times),
    shows: () => shows(token as AccessToken, requirement),
  }))
}

/**
 * If the access rule requires a DPoP proof, also refuses a token that is not bound to a key, because a request with
 * such a token would be refused too.
 */
function asOfRequest(check: CheckOfToken): CheckOfToken {
  if (check.name !== 'binding') return check
  return {
    ...check,
    run: (token, requirement, times) => check.run(token, requirement, times) ?? refuseUnproved(requirement),
    shows: ({ claims: { cnf } }, { dpop }) => ({ cnf: dpop === 'require' ? (cnf ?? null) : cnf }),
  }
}

function refuseUnproved({ dpop }: Requirement): Refusal | undefined {
  if (dpop !== 'require') return undefined
  return new Refusal('binding', 'the rule requires a DPoP proof, but the token is not bound to a key')
}

function revokedBy(revocations: Pick<Revocations, 'refusalOf'>): CheckOfToken {
  return {
    name: 'revoked',
    option: 'revocation',
    run: token => revocations.refusalOf(token),
    shows: ({ claims, clientId, subject }) => ({ jti: claims['jti'], clientId, subject }),
  }
}

async function explain(
  { name, option, isReachable, run, shows }: Check,
  candidate: Candidate,
  before: readonly ExplainedCheck[],
): Promise<ExplainedCheck> {
  if (!isReachable) return { name, result: 'not reached', found: '', option }
  const refusal = await run()
  const found = showValues(shows())
  if (refusal === undefined) return { name, result: found === '' ? 'skipped' : 'passed', found, option }
  // A missing claim is reported only by the check that requires the claim. Later checks of the same claim count as not reached.
  if (found === '' && before.some(({ result }) => result === 'failed'))
    return { name, result: 'not reached', found, option }
  const { reason, detail = reason } = refusal
  const fix = adviceFor({ name, refusal, candidate, recognized: recognizedIn(candidate) })
  return { name, result: 'failed', found, option, reason, detail, fix }
}

function recognizedIn({ decoded, issuer }: Candidate): RecognizedIssuer | undefined {
  return decoded && issuer && recognizeIssuer(decoded, issuer.rules)
}
