import type { Requirement } from '../authorize/requirement.js'
import type { RefusalReason } from '../errors.js'
import type { Scheme } from '../extract-token.js'
import { refusalTable } from './refusal-table.js'

/**
 * The `WWW-Authenticate` value for one refusal (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1); undefined when it gets
 * none. A request without a token counts as `bearer`.
 */
export type Challenges = (
  reason: RefusalReason,
  requirement: Requirement,
  scheme: Scheme,
) => string | undefined

/** What every challenge of one protection space says. */
export interface ProtectionSpace {
  /** RFC 9110 §11.5; undefined: none is named. */
  readonly realm: string | undefined
  /** Where the metadata of the API is (RFC 9728 §5.1). */
  readonly metadataUrl: string | undefined
  /** Algorithms of DPoP proofs (RFC 9449 §7.1); undefined: no route takes proofs. */
  readonly dpopAlgorithms: readonly string[] | undefined
}

/** Each challenge is put together once for each requirement: what a request brings is never in it. */
export function createChallenges({ realm, metadataUrl, dpopAlgorithms }: ProtectionSpace): Challenges {
  const space = realm === undefined ? [] : [`realm=${quote(realm)}`]
  const metadata = metadataUrl === undefined ? [] : [`resource_metadata=${quote(metadataUrl)}`]
  const made = {
    bearer: new WeakMap<Requirement, Map<RefusalReason, string>>(),
    dpop: new WeakMap<Requirement, Map<RefusalReason, string>>(),
  }

  function challenge(reason: RefusalReason, requirement: Requirement, scheme: Scheme): string {
    const error = [
      ...errorParameters(reason),
      ...stepUpParameters(reason, requirement, metadataUrl !== undefined),
    ]
    const proofRequired = requirement.dpop === 'require'
    const usesDpop = scheme === 'dpop' || proofRequired
    const bearer = credentials('Bearer', [...space, ...(usesDpop ? [] : error), ...metadata])
    if (dpopAlgorithms === undefined || requirement.dpop === 'off') return bearer
    const algorithms = `algs=${quote(dpopAlgorithms.join(' '))}`
    const dpop = credentials('DPoP', [...space, ...(usesDpop ? error : []), algorithms, ...metadata])
    return proofRequired ? dpop : `${bearer}, ${dpop}`
  }

  return (reason, requirement, scheme) => {
    if (refusalTable[reason].challenge === 'none') return undefined
    let challenges = made[scheme].get(requirement)
    if (challenges === undefined) made[scheme].set(requirement, (challenges = new Map()))
    let text = challenges.get(reason)
    if (text === undefined) challenges.set(reason, (text = challenge(reason, requirement, scheme)))
    return text
  }
}

/** The error, its description and what goes with it: fixed by the application, never taken from a request. */
function errorParameters(reason: RefusalReason): readonly string[] {
  const { challenge: error, message } = refusalTable[reason]
  return error === 'bare' || error === 'none'
    ? []
    : [`error="${error}"`, `error_description=${quote(message)}`]
}

/**
 * What the client must request next (RFC 6750 §3, RFC 9470 §3). A client that finds the issuer by the metadata learns the
 * scopes before it requests its first token (MCP 2026-07-28, "Scope Selection Strategy"); the metadata lists them anyway.
 */
function stepUpParameters(
  reason: RefusalReason,
  { scopes, acr, maxAgeMs }: Requirement,
  hasMetadata: boolean,
): readonly string[] {
  const needsToken = reason === 'missing' || refusalTable[reason].challenge === 'invalid_token'
  if (reason === 'scope' || (needsToken && hasMetadata))
    return scopes.length === 0 ? [] : [`scope=${quote(scopes.join(' '))}`]
  if (reason !== 'authentication') return []
  return [
    ...(acr.length === 0 ? [] : [`acr_values=${quote(acr.join(' '))}`]),
    ...(maxAgeMs === undefined ? [] : [`max_age="${Math.floor(maxAgeMs / 1000)}"`]),
  ]
}

function credentials(scheme: string, parameters: readonly string[]): string {
  return `${scheme} ${parameters.join(', ')}`.trim()
}

/** RFC 9110 §5.6.4. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
