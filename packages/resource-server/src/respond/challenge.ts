import type { Requirement } from '../authorize/requirement.js'
import type { RefusalReason } from '../errors.js'
import type { Scheme } from '../extract-token.js'
import { refusalTable } from './refusal-table.js'

/**
 * Returns the `WWW-Authenticate` header for a refusal (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1), or undefined if
 * the response must not have this header. If the request has no token, `scheme` must be `bearer`.
 */
export type Challenges = (
  reason: RefusalReason,
  requirement: Requirement,
  scheme: Scheme,
) => string | undefined

/** The parameters of `WWW-Authenticate` headers that are the same for all routes. */
export interface ProtectionSpace {
  /** The realm (RFC 9110 §11.5). If undefined, challenges have no realm. */
  readonly realm: string | undefined
  /** The URL of the API's metadata (RFC 9728 §5.1). */
  readonly metadataUrl: string | undefined
  /** The accepted algorithms of DPoP proofs (RFC 9449 §7.1). If undefined, DPoP is not supported. */
  readonly dpopAlgorithms: readonly string[] | undefined
}

/**
 * Creates the `WWW-Authenticate` challenges. The challenges contain nothing from the request, so they can be cached.
 */
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

/** Returns the parameters `error` and `error_description`. Both are constants that contain nothing from the request. */
function errorParameters(reason: RefusalReason): readonly string[] {
  const { challenge: error, message } = refusalTable[reason]
  return error === 'bare' || error === 'none'
    ? []
    : [`error="${error}"`, `error_description=${quote(message)}`]
}

/**
 * Returns the challenge parameters that tell the client which scopes or which kind of authentication to request (RFC
 * 6750 §3, RFC 9470 §3). If the API publishes metadata, the scopes are included even if the token is missing or
 * invalid, so that the client can request them with its first token (MCP 2026-07-28, "Scope Selection Strategy").
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

/** Formats a quoted string (RFC 9110 §5.6.4). */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
