import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import { checkClaims, isKeyOfIssuer, type ClaimRules } from './check-claims.js'
import type { CheckCustomClaims } from './check-custom-claims.js'
import { decodeToken, type DecodedToken, type TokenHeader } from './decode-token.js'
import type { IntrospectToken } from './introspect-token.js'
import type { KeySet } from './key-set.js'
import type { Claims } from './profiles.js'
import { supportedAlgorithms, type Algorithm, type PublicKey } from './public-key.js'
import { readAccessToken } from './read-access-token.js'
import type { ThreadPool } from './thread-pool.js'
import type { TokenCache } from './token-cache.js'

/** One configured issuer: its rules and its keys. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
}

/**
 * Verifies an access token; synchronously unless the issuer has to be asked for a key, or the signature is verified in
 * the thread pool.
 * @throws {Refusal} when the token is not to be accepted
 * @throws {KeysUnavailable} when that cannot be told now
 */
export type VerifyToken = (raw: string) => AccessToken | Promise<AccessToken>

const headersKept = 256

/** What verification works with besides the issuers. */
export interface VerifyContext {
  readonly cache: TokenCache
  readonly threadPool: ThreadPool
  readonly checkCustomClaims: CheckCustomClaims
  /** For tokens that are no JWTs; undefined: they are refused. */
  readonly introspect: IntrospectToken | undefined
  readonly now: () => number
}

/**
 * Joins the steps: cache, decode, issuer, claims, key, signature (RFC 7519 §7.2). What costs little comes first: a
 * flood of expired tokens or of tokens for somebody else causes neither a signature check nor a look for its key, and
 * the answer is the same for whatever is wrong.
 */
export function createVerifyToken(
  issuers: readonly TrustedIssuer[],
  { cache, threadPool, checkCustomClaims, introspect, now }: VerifyContext,
): VerifyToken {
  /** Decoded headers of tokens that verified: an issuer writes few different ones. */
  const headers = new Map<string, TokenHeader>()
  const chooseIssuer = issuerChooser(issuers)

  function verifySignature(
    decoded: DecodedToken,
    issuer: TrustedIssuer,
    key: PublicKey | undefined,
  ): AccessToken | Promise<AccessToken> {
    const { raw, header, claims } = decoded
    const algorithm = header.alg as Algorithm
    const explain = (error: unknown): unknown => withContext(error, issuer, header)
    if (key === undefined || !isKeyOfIssuer(key.issuer, claims, issuer.rules))
      throw explain(new Refusal('unknown_key', 'the issuer lists no key that fits kid, alg and tenant'))
    const place = threadPool.nextPlace()
    if (place === 'pool')
      return threadPool.run(key.verifyInPool(raw, algorithm)).then(
        () => accept(decoded, issuer, key),
        error => {
          throw explain(error)
        },
      )
    try {
      if (place === 'here') key.verifyHere(raw, algorithm)
      else key.verify(raw, algorithm)
    } catch (error) {
      throw explain(error)
    }
    return accept(decoded, issuer, key)
  }

  function accept(decoded: DecodedToken, issuer: TrustedIssuer, key: PublicKey): AccessToken {
    const { raw, header, headerSegment, claims } = decoded
    try {
      checkCustomClaims(claims)
    } catch (error) {
      throw withContext(error, issuer, header)
    }
    const token = readAccessToken(claims, issuer.rules)
    if (!headers.has(headerSegment)) {
      if (headers.size >= headersKept) headers.clear()
      headers.set(headerSegment, header)
    }
    cache.set(raw, { token, key, keys: issuer.keys, usableUntil: usableUntil(token, issuer.rules) })
    return token
  }

  return raw => {
    const verified = cache.get(raw)
    if (verified !== undefined) return verified.token
    if (introspect !== undefined && !looksLikeJwt(raw)) return introspect(raw)
    const decoded = decodeToken(raw, headers)
    const { header, claims } = decoded
    const { alg, kid } = header
    if (!supportedAlgorithms.includes(alg as Algorithm))
      throw new Refusal('algorithm', 'alg is no asymmetric signature algorithm')
    const issuer = chooseIssuer(claims)
    if (!issuer.algorithms.includes(alg as Algorithm))
      throw new Refusal('algorithm', 'alg is not allowed for this issuer')
    try {
      checkClaims(header, claims, issuer.rules, now())
    } catch (error) {
      throw withContext(error, issuer, header)
    }
    const key = issuer.keys.find(kid, alg)
    if (key !== undefined) return verifySignature(decoded, issuer, key)
    return issuer.keys.lookUp(kid, alg).then(found => verifySignature(decoded, issuer, found))
  }
}

/** Three segments (RFC 7515 §7.1). What is wrong with a token that has them is for `decodeToken` to tell. */
function looksLikeJwt(raw: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]*$/.test(raw)
}

/** Tells the log which issuer and key a refusal is about. */
function withContext(error: unknown, issuer: TrustedIssuer, { kid }: TokenHeader): unknown {
  if (!(error instanceof Refusal)) return error
  const context = { issuer: issuer.rules.issuer, ...(kid === undefined ? {} : { kid }) }
  return new Refusal(error.reason, error.detail, context)
}

/** With one issuer there is nothing to choose. With several, the unverified `iss` picks whose keys must verify it. */
function issuerChooser(issuers: readonly TrustedIssuer[]): (claims: Claims) => TrustedIssuer {
  const [only] = issuers
  if (issuers.length === 1 && only !== undefined) return () => only
  const byName = new Map(issuers.map(issuer => [issuer.rules.issuer, issuer]))
  const templates = issuers.filter(issuer => issuer.rules.issuer.includes('{tenantid}'))
  return claims => {
    const named = claims['iss']
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
