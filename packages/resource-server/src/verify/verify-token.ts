import { Refusal } from '../errors.js'
import type { Outcome } from '../outcome.js'
import { checkClaims, isKeyOfIssuer, type ClaimRules } from './check-claims.js'
import type { CheckCustomClaims } from './check-custom-claims.js'
import { lifetimeOf } from './check-times.js'
import { isB64token } from './b64token.js'
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
 * the thread pool. A {@link Refusal} when the token is not to be accepted.
 * @param authorization the `Authorization` header it came in, `Bearer` and this token, for which {@link TokenCache} was
 *   asked already
 * @throws {VerificationUnavailable} when that cannot be told now
 */
export type VerifyToken = (raw: string, authorization?: string) => Outcome | Promise<Outcome>

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
  ): Outcome | Promise<Outcome> {
    const { raw, header, claims } = decoded
    if (key === undefined || !isKeyOfIssuer(key.issuer, claims, issuer.rules))
      return new Refusal('unknown_key', 'the issuer lists no key that fits kid, alg and tenant')
    const algorithm = header.alg as Algorithm
    const place = threadPool.nextPlace()
    if (place === 'pool')
      return threadPool
        .run(key.verifyInPool(decoded, algorithm))
        .then(refusal => refusal ?? accept(decoded, issuer, key))
    const refusal = place === 'here' ? key.verifyHere(decoded, algorithm) : key.verify(raw, algorithm)
    return refusal ?? accept(decoded, issuer, key)
  }

  function accept(decoded: DecodedToken, issuer: TrustedIssuer, key: PublicKey): Outcome {
    const { raw, authorization, header, headerSegment, claims } = decoded
    const refusal = checkCustomClaims(claims)
    if (refusal !== undefined) return refusal
    const token = readAccessToken(claims, issuer.rules)
    if (!headers.has(headerSegment)) {
      if (headers.size >= headersKept) headers.clear()
      headers.set(headerSegment, header)
    }
    const { usableFrom, usableUntil } = lifetimeOf(claims, issuer.rules)
    cache.setVerified(raw, { token, key, keys: issuer.keys, usableFrom, usableUntil }, authorization)
    return token
  }

  function refuse(
    { raw, authorization, header, claims }: DecodedToken,
    issuer: TrustedIssuer,
    found: Refusal,
  ): Refusal {
    const refusal = withContext(found, issuer, header)
    if (refusal.reason === 'expired')
      cache.setExpired(raw, { refusal, since: lifetimeOf(claims, issuer.rules).usableUntil }, authorization)
    return refusal
  }

  return (raw, authorization) => {
    const known = authorization === undefined ? cache.get(raw) : undefined
    if (known !== undefined) return known
    if (introspect !== undefined && !looksLikeJwt(raw)) return isB64token(raw) ? introspect(raw) : noToken()
    const decoded = decodeToken(raw, headers, authorization)
    if (decoded instanceof Refusal) return isB64token(raw) ? decoded : noToken()
    const { header, claims } = decoded
    const { alg, kid } = header
    if (!supportedAlgorithms.includes(alg as Algorithm))
      return new Refusal('algorithm', 'alg is no asymmetric signature algorithm')
    const issuer = chooseIssuer(claims)
    if (issuer instanceof Refusal) return issuer
    if (!issuer.algorithms.includes(alg as Algorithm))
      return new Refusal('algorithm', 'alg is not allowed for this issuer')
    const refusal = checkClaims(header, claims, issuer.rules, now())
    if (refusal !== undefined) return refuse(decoded, issuer, refusal)
    const key = issuer.keys.find(kid, alg)
    const verified =
      key === undefined
        ? issuer.keys.lookUp(kid, alg).then(found => verifySignature(decoded, issuer, found))
        : verifySignature(decoded, issuer, key)
    return verified instanceof Promise
      ? verified.then(settled => withContext(settled, issuer, header))
      : withContext(verified, issuer, header)
  }
}

/** Several tokens, or something else in the place of one: that is wrong with the request, and not with a token. */
function noToken(): Refusal {
  return new Refusal('credentials', 'what came as the token has letters that none has')
}

/** Three segments (RFC 7515 §7.1). What is wrong with a token that has them is for `decodeToken` to tell. */
function looksLikeJwt(raw: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]*$/.test(raw)
}

/** Tells the log which issuer and key a refusal is about. */
function withContext<T>(settled: T | Refusal, { rules }: TrustedIssuer, { kid }: TokenHeader): T | Refusal {
  if (!(settled instanceof Refusal)) return settled
  return new Refusal(settled.reason, settled.detail, rules.issuer, kid)
}

/** With one issuer there is nothing to choose. With several, the unverified `iss` picks whose keys must verify it. */
function issuerChooser(issuers: readonly TrustedIssuer[]): (claims: Claims) => TrustedIssuer | Refusal {
  const [only] = issuers
  if (issuers.length === 1 && only !== undefined) return () => only
  const byName = new Map(issuers.map(issuer => [issuer.rules.issuer, issuer]))
  const templates = issuers.filter(issuer => issuer.rules.issuer.includes('{tenantid}'))
  return claims => {
    const named = claims['iss']
    return (
      byName.get(named as string) ??
      templates.find(template => fitsTemplate(named, template.rules.issuer)) ??
      new Refusal('issuer', 'iss is none of the configured issuers')
    )
  }
}

function fitsTemplate(named: unknown, template: string): boolean {
  if (typeof named !== 'string') return false
  const [before = '', after = ''] = template.split('{tenantid}')
  return named.length > before.length + after.length && named.startsWith(before) && named.endsWith(after)
}
