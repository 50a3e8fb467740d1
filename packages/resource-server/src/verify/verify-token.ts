import { checkClaims, isKeyOfIssuer, type ClaimRules } from '../claims/check-claims.js'
import type { CheckCustomClaims } from '../claims/check-custom-claims.js'
import { lifetimeOf } from '../claims/check-times.js'
import type { Claims } from '../claims/profiles.js'
import { readAccessToken } from '../claims/read-access-token.js'
import { Refusal } from '../errors.js'
import { includesAlgorithm, supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import type { IntrospectToken } from '../introspection/find-issuer.js'
import type { KeySet } from '../keys/key-set.js'
import type { PublicKey } from '../keys/public-key.js'
import { andThen, type MaybePromise } from '../later.js'
import type { VerifySignature } from '../signature/verify-signature.js'
import { isB64token } from '../b64token.js'
import { decodeToken, type DecodedToken, type TokenHeader } from './decode-token.js'
import type { Verification } from './token-cache.js'

/** One configured issuer: its rules and its keys. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
  readonly verifySignature: VerifySignature
}

/**
 * Verifies an access token; synchronously unless the issuer has to be asked, or the signature is verified in the thread
 * pool or for the first time with its key.
 */
export type VerifyToken = (raw: string) => MaybePromise<Verification>

/** What verification works with besides the issuers. */
export interface VerifySteps {
  readonly checkCustomClaims: CheckCustomClaims
  /** For tokens that are no JWTs; undefined: they are refused. */
  readonly introspect: IntrospectToken | undefined
  readonly now: () => number
}

const maxHeaders = 256

/**
 * Joins the steps: decode, issuer, claims, key, signature (RFC 7519 §7.2). The cheap ones come first: a flood of expired
 * tokens, or of tokens for another audience, causes neither a signature check nor a request for a key.
 */
export function createVerifyToken(
  chooseIssuer: ChooseIssuer,
  { checkCustomClaims, introspect, now }: VerifySteps,
): VerifyToken {
  /** Decoded headers of tokens that verified: an issuer writes few different ones. */
  const headers = new Map<string, TokenHeader>()

  function verifyJwt(raw: string): MaybePromise<Verification> {
    const decoded = decodeToken(raw, headers)
    if (decoded instanceof Refusal) return refused(isB64token(raw) ? decoded : notOneToken())
    if (!supportedAlgorithms.includes(decoded.header.alg as Algorithm))
      return refused(new Refusal('algorithm', 'alg is no asymmetric signature algorithm'))
    return andThen(chooseIssuer(decoded.claims), issuer =>
      issuer instanceof Refusal ? refused(issuer) : verifyForIssuer(decoded, issuer),
    )
  }

  function verifyForIssuer(decoded: DecodedToken, issuer: TrustedIssuer): MaybePromise<Verification> {
    return andThen(verifyByRules(decoded, issuer), verification =>
      withContext(verification, issuer.rules.issuer, decoded.header.kid),
    )
  }

  function verifyByRules(decoded: DecodedToken, issuer: TrustedIssuer): MaybePromise<Verification> {
    const { alg, kid } = decoded.header
    if (!includesAlgorithm(issuer.algorithms, alg))
      return refused(new Refusal('algorithm', 'alg is not allowed for this issuer'))
    const refusal = checkClaims(decoded, issuer.rules, now())
    if (refusal?.reason === 'expired') return expired(refusal, decoded, issuer)
    if (refusal !== undefined) return refused(refusal)
    const key = issuer.keys.use(kid, alg) ?? issuer.keys.lookUp(kid, alg)
    return andThen(key, found => verifyWithKey(decoded, issuer, found))
  }

  function verifyWithKey(
    decoded: DecodedToken,
    issuer: TrustedIssuer,
    key: PublicKey | Refusal | undefined,
  ): MaybePromise<Verification> {
    if (key instanceof Refusal) return refused(key)
    if (key === undefined || !isKeyOfIssuer(key.issuer, decoded.claims, issuer.rules))
      return refused(new Refusal('unknown_key', 'the issuer lists no key that fits kid, alg and tenant'))
    // The key fits the token's algorithm, so it is a supported one.
    const checked = issuer.verifySignature(decoded, key, decoded.header.alg as Algorithm)
    return andThen(checked, refusal =>
      refusal === undefined ? accept(decoded, issuer, key) : refused(refusal),
    )
  }

  function accept(
    { header, headerSegment, claims }: DecodedToken,
    { rules, keys }: TrustedIssuer,
    key: PublicKey,
  ): Verification {
    const refusal = checkCustomClaims(claims)
    if (refusal !== undefined) return refused(refusal)
    if (!headers.has(headerSegment)) {
      if (headers.size >= maxHeaders) headers.clear()
      headers.set(headerSegment, header)
    }
    const { usableFrom, usableUntil } = lifetimeOf(claims, rules)
    const validity = { from: usableFrom, until: usableUntil, signedBy: { key, keys } }
    return { outcome: readAccessToken(claims, rules), validity }
  }

  if (introspect === undefined) return verifyJwt
  return raw => {
    if (looksLikeJwt(raw)) return verifyJwt(raw)
    return isB64token(raw) ? introspect(raw).then(outcome => ({ outcome })) : refused(notOneToken())
  }
}

function refused(outcome: Refusal): Verification {
  return { outcome }
}

/** An expired token stays expired, unless the clock is set back. */
function expired(outcome: Refusal, { claims }: DecodedToken, { rules }: TrustedIssuer): Verification {
  return { outcome, validity: { from: lifetimeOf(claims, rules).usableUntil, until: Infinity } }
}

/** Several tokens, or something else in the place of one: the request is wrong, not the token. */
function notOneToken(): Refusal {
  return new Refusal('credentials', 'the token has characters that no token may have')
}

/** Three segments (RFC 7515 §7.1). Whether they are those of a JWT is for `decodeToken` to tell. */
function looksLikeJwt(raw: string): boolean {
  return /^[^.]+\.[^.]+\.[^.]*$/.test(raw)
}

/** Tells the log which issuer and key a refusal is about. */
function withContext(verification: Verification, issuer: string, kid: string | undefined): Verification {
  const { outcome } = verification
  return outcome instanceof Refusal ? { ...verification, outcome: outcome.about(issuer, kid) } : verification
}

/** Whose keys and rules a token must be verified with, by its claims, which are not verified yet. */
export type ChooseIssuer = (claims: Claims) => MaybePromise<TrustedIssuer | Refusal>

/** With one issuer there is nothing to choose. With several, the unverified `iss` picks whose keys must verify it. */
export function chooseAmong(issuers: readonly TrustedIssuer[]): ChooseIssuer {
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

/** Whether an issuer is one that a template such as `https://login.example.com/{tenantid}` stands for. */
export function fitsTemplate(named: unknown, template: string): boolean {
  if (typeof named !== 'string') return false
  const [before = '', after = ''] = template.split('{tenantid}')
  if (!named.startsWith(before) || !named.endsWith(after)) return false
  return /^[\w.-]+$/.test(named.slice(before.length, named.length - after.length))
}
