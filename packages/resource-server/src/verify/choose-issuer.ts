import { fitsTemplate, isTemplate } from '../claims/issuer-template.js'
import type { Claims } from '../claims/profiles.js'
import { Refusal } from '../errors.js'
import type { MaybePromise } from '../later.js'
import type { Purpose } from '../keys/key-set.js'
import { showValue } from '../show-value.js'
import type { TrustedIssuer } from './candidate.js'

/** Returns the issuer whose keys and rules apply to a token. The issuer is chosen by the token's unverified claims. */
export type ChooseIssuer = (claims: Claims, purpose: Purpose) => MaybePromise<TrustedIssuer | Refusal>

/** Chooses the issuer by the unverified `iss` claim. If only one issuer is configured, that issuer is always chosen. */
export function chooseAmong(issuers: readonly TrustedIssuer[]): ChooseIssuer {
  const [only] = issuers
  if (issuers.length === 1 && only !== undefined) return () => only
  const byName = new Map(issuers.map(issuer => [issuer.rules.issuer, issuer]))
  const templates = issuers.filter(issuer => isTemplate(issuer.rules.issuer))
  return claims => {
    const named = claims['iss']
    return (
      byName.get(named as string) ??
      templates.find(template => fitsTemplate(named, template.rules.issuer)) ??
      new Refusal('issuer', `iss is ${showValue(named)}, which is not a configured issuer`)
    )
  }
}
