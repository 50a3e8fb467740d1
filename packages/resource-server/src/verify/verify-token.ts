import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import { checkClaims, type ClaimRules } from './check-claims.js'
import type { CheckCustomClaims } from './check-custom-claims.js'
import { decodeToken, peekIssuer, type DecodedToken, type TokenHeader } from './decode-token.js'
import type { KeySet } from './key-set.js'
import type { Claims } from './profiles.js'
import { supportedAlgorithms, type Algorithm, type PublicKey } from './public-key.js'
import { readAccessToken } from './read-access-token.js'
import type { TokenCache } from './token-cache.js'

/** One configured issuer: its rules and its keys. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
}

/**
 * Verifies an access token; synchronously unless the issuer has to be asked for a key.
 * @throws {Refusal} when the token is not to be accepted
 * @throws {KeysUnavailable} when that cannot be told now
 */
export type VerifyToken = (raw: string) => AccessToken | Promise<AccessToken>

const headersKept = 256

/** What verification works with besides the issuers. */
export interface VerifyContext {
  readonly cache: TokenCache
  readonly checkCustomClaims: CheckCustomClaims
  readonly now: () => number
}

/** Joins the steps: cache, decode, issuer, key, signature, claims (RFC 7519 §7.2), in this order. */
export function createVerifyToken(
  issuers: readonly TrustedIssuer[],
  { cache, checkCustomClaims, now }: VerifyContext,
): VerifyToken {
  /** Decoded headers of tokens that verified: an issuer writes few different ones. */
  const headers = new Map<string, TokenHeader>()
  const chooseIssuer = issuerChooser(issuers)

  function accept(decoded: DecodedToken, issuer: TrustedIssuer, key: PublicKey | undefined): AccessToken {
    const { raw, header } = decoded
    const context = { issuer: issuer.rules.issuer, ...(header.kid === undefined ? {} : { kid: header.kid }) }
    if (key === undefined)
      throw new Refusal('unknown_key', 'the issuer lists no key that fits kid and alg', context)
    let claims: Claims
    try {
      claims = key.verify(raw, header.alg as Algorithm)
      checkClaims(header, claims, issuer.rules, now())
      checkCustomClaims(claims)
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(error.reason, error.detail, context) : error
    }
    const token = readAccessToken(claims, issuer.rules)
    if (headers.size >= headersKept) headers.clear()
    headers.set(raw.slice(0, raw.indexOf('.')), header)
    cache.set(raw, { token, key, keys: issuer.keys, usableUntil: usableUntil(token, issuer.rules) })
    return token
  }

  return raw => {
    const verified = cache.get(raw)
    if (verified !== undefined) return verified.token
    const decoded = decodeToken(raw, headers)
    const { alg, kid } = decoded.header
    if (!supportedAlgorithms.includes(alg as Algorithm))
      throw new Refusal('algorithm', 'alg is no asymmetric signature algorithm')
    const issuer = chooseIssuer(decoded)
    if (!issuer.algorithms.includes(alg as Algorithm))
      throw new Refusal('algorithm', 'alg is not allowed for this issuer')
    const key = issuer.keys.find(kid, alg)
    if (key !== undefined) return accept(decoded, issuer, key)
    return issuer.keys.lookUp(kid, alg).then(found => accept(decoded, issuer, found))
  }
}

/** With one issuer there is nothing to choose. With several, the unverified `iss` picks whose keys must verify it. */
function issuerChooser(issuers: readonly TrustedIssuer[]): (decoded: DecodedToken) => TrustedIssuer {
  const [only] = issuers
  if (issuers.length === 1 && only !== undefined) return () => only
  const byName = new Map(issuers.map(issuer => [issuer.rules.issuer, issuer]))
  const templates = issuers.filter(issuer => issuer.rules.issuer.includes('{tenantid}'))
  return decoded => {
    const named = peekIssuer(decoded)
    const issuer =
      byName.get(named as string) ?? templates.find(template => fitsTemplate(named, template.rules.issuer))
    if (issuer === undefined) throw new Refusal('issuer', 'iss is none of the configured issuers')
    return issuer
  }
}

function fitsTemplate(named: unknown, template: string): boolean {
  if (typeof named !== 'string') return false
  const [before = '', after = ''] = template.split('{tenantid}')
  return named.length > before.length + after.length && named.startsWith(before) && named.endsWith(after)
}

function usableUntil(token: AccessToken, { clockToleranceMs, maxTokenAgeMs }: ClaimRules): number {
  const issuedAt = token.claims['iat']
  const aged = typeof issuedAt === 'number' ? issuedAt * 1000 + maxTokenAgeMs : Infinity
  return Math.min(token.expiresAt, aged) + clockToleranceMs
}
