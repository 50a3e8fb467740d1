import { fitsTemplate, isTemplate } from './claims/issuer-template.js'
import { isIssuerName } from './issuers/resolved-issuers.js'
import type { Logger } from './log.js'
import type { Settings } from './options/options.js'
import { createRevocations, type Revocations } from './revocation/revocations.js'

type RevocationOptions = Pick<
  Settings,
  'revocation' | 'issuers' | 'resolveIssuer' | 'allowInsecureHttp' | 'clock' | 'clockToleranceMs'
>

/**
 * Creates the revocation list for the configured issuers, or returns undefined if the option `revocation` is not set.
 */
export function connectRevocations(
  { revocation, issuers, resolveIssuer, allowInsecureHttp, clock, clockToleranceMs }: RevocationOptions,
  log: Logger,
): Revocations | undefined {
  if (revocation === undefined) return undefined
  const names = issuers.map(({ rules }) => rules.issuer)
  const [only] = names
  return createRevocations(revocation, {
    isTrusted: issuer =>
      resolveIssuer === undefined
        ? names.some(name => (isTemplate(name) ? fitsTemplate(issuer, name) : name === issuer))
        : // A revocation may contain any issuer URL, because the application's function `issuers` may trust an issuer that this process has not looked up yet.
          isIssuerName(issuer, allowInsecureHttp),
    onlyIssuer: names.length === 1 && only !== undefined && !isTemplate(only) ? only : undefined,
    now: clock,
    clockToleranceMs,
    log,
  })
}
