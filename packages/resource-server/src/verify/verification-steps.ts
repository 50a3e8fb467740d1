import { isB64token } from '../b64token.js'
import { isKeyOfIssuer } from '../claims/check-claims.js'
import { anyClaims, type CheckCustomClaims } from '../claims/check-custom-claims.js'
import type { TimeRules } from '../claims/check-times.js'
import { claimChecks, type ClaimCheck } from '../claims/claim-checks.js'
import type { Claims } from '../claims/profiles.js'
import { Refusal } from '../errors.js'
import type { IntrospectToken } from '../introspection/find-issuer.js'
import { includesAlgorithm, supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import { andThen } from '../later.js'
import { step, type VerificationStep } from './candidate.js'
import type { ChooseIssuer } from './choose-issuer.js'
import { decodeToken, type TokenHeader } from './decode-token.js'

export interface VerifySteps {
  readonly checkCustomClaims: CheckCustomClaims
  /** Introspects tokens that are not JWTs. If undefined, such tokens are refused. */
  readonly introspect: IntrospectToken | undefined
  readonly now: () => number
}

export interface JwtSteps extends Pick<VerifySteps, 'checkCustomClaims' | 'now'> {
  readonly chooseIssuer: ChooseIssuer
  /** Decoded token headers, keyed by their base64url text. */
  readonly headers: ReadonlyMap<string, TokenHeader>
}

/**
 * Returns the verification steps for a JWT (RFC 7519 §7.2). Cheap steps come first, so that an expired token or a token
 * for another audience causes neither a signature check nor a request for keys.
 */
export function stepsForJwt(steps: JwtSteps): readonly VerificationStep[] {
  return [
    decode(steps),
    checkAlgorithm,
    trustIssuer(steps),
    checkAllowedAlgorithm,
    ...claimChecks.map(checkClaim),
    findKey,
    verifySignature,
    ...checkSchema(steps),
  ]
}

/**
 * Returns the verification steps for an opaque token. Such a token is verified by the issuer's introspection endpoint
 * (RFC 7662).
 */
export function stepsForOpaque(introspect: IntrospectToken): readonly VerificationStep[] {
  return [
    step({
      name: 'format',
      option: 'introspection',
      needs: 'raw',
      run: ({ raw }) => (isB64token(raw) ? undefined : notOneToken(raw)),
      shows: ({ raw }) => ({ characters: raw.length }),
    }),
    step({
      name: 'introspection',
      option: 'introspection',
      needs: 'raw',
      async run(candidate) {
        const outcome = await introspect(candidate.raw)
        if (outcome instanceof Refusal) return outcome
        candidate.introspected = outcome
        return undefined
      },
      shows: ({ introspected }) => introspected?.claims ?? {},
    }),
  ]
}

function decode({ headers }: JwtSteps): VerificationStep {
  return step({
    name: 'format',
    option: 'introspection',
    needs: 'raw',
    run(candidate) {
      const decoded = decodeToken(candidate.raw, headers)
      if (decoded instanceof Refusal) return isB64token(candidate.raw) ? decoded : notOneToken(candidate.raw)
      candidate.decoded = decoded
      return undefined
    },
    shows: ({ raw }) => ({ characters: raw.length, segments: raw.split('.').length }),
  })
}

/**
 * Refuses a string that cannot be a token, such as a list of two tokens. The refusal reason is `credentials`, because
 * the mistake is in the request, not in the token.
 */
function notOneToken(raw: string): Refusal {
  if (raw === '') return new Refusal('credentials', 'the token is empty')
  return new Refusal('credentials', 'the token contains characters that are not allowed in tokens')
}

const checkAlgorithm = step({
  name: 'algorithm',
  option: 'algorithms',
  needs: 'decoded',
  run: ({ decoded: { header } }) =>
    supportedAlgorithms.includes(header.alg as Algorithm)
      ? undefined
      : new Refusal('algorithm', 'the header parameter alg is not a supported asymmetric algorithm'),
  shows: ({ decoded: { header } }) => ({ alg: header.alg }),
})

function trustIssuer({ chooseIssuer, now }: JwtSteps): VerificationStep {
  return step({
    name: 'trusted issuer',
    option: 'issuers',
    needs: 'decoded',
    run: candidate =>
      andThen(chooseIssuer(candidate.decoded.claims, candidate.purpose), issuer => {
        if (issuer instanceof Refusal) return issuer
        candidate.issuer = issuer
        candidate.time = now()
        return undefined
      }),
    shows: ({ decoded: { claims }, issuer }) =>
      issuer === undefined ? { iss: claims['iss'] } : { configured: issuer.rules.issuer },
  })
}

const checkAllowedAlgorithm = step({
  name: 'allowed algorithm',
  option: 'algorithms',
  needs: 'issuer',
  run: ({ decoded: { header }, issuer }) =>
    includesAlgorithm(issuer.algorithms, header.alg)
      ? undefined
      : new Refusal('algorithm', 'the header parameter alg is not an allowed algorithm for this issuer'),
  shows: ({ decoded: { header } }) => ({ alg: header.alg }),
})

function checkClaim({ name, option, check, shows }: ClaimCheck): VerificationStep {
  return step({
    name,
    option,
    needs: 'issuer',
    run: ({ decoded, issuer, time }) => check(decoded, issuer.rules, time),
    shows: ({ decoded, issuer }) => shows(decoded, issuer.rules),
  })
}

/**
 * Returns the latest time at which a token can have been issued, in milliseconds since the epoch. This time is later
 * than `iat`, because `iat` is in whole seconds and the issuer's clock may be ahead.
 */
function issuedBy({ iat }: Claims, { clockToleranceMs }: TimeRules): number | undefined {
  return typeof iat === 'number' ? iat * 1000 + 1000 + clockToleranceMs : undefined
}

const findKey = step({
  name: 'key',
  option: 'jwksUri, metadataUrl, keys',
  needs: 'issuer',
  run(candidate) {
    const { decoded, issuer, purpose } = candidate
    const { alg, kid } = decoded.header
    const key =
      issuer.keys.use(kid, alg) ??
      issuer.keys.lookUp[purpose](kid, alg, issuedBy(decoded.claims, issuer.rules))
    return andThen(key, found => {
      if (found instanceof Refusal) return found
      if (found === undefined || !isKeyOfIssuer(found.issuer, decoded.claims, issuer.rules))
        return new Refusal(
          'unknown_key',
          'the issuer has no key that matches the kid, alg and tenant of the token',
        )
      candidate.key = found
      return undefined
    })
  },
  shows: ({ decoded: { header } }) => ({ kid: header.kid, alg: header.alg }),
})

const verifySignature = step({
  name: 'signature',
  option: 'none',
  needs: 'key',
  // The cast is safe: the key was found for the token's algorithm, so the algorithm is supported.
  run: ({ decoded, issuer, key }) => issuer.verifySignature(decoded, key, decoded.header.alg as Algorithm),
  shows: ({ key }) => ({ key: key.kid }),
})

/**
 * Returns the step that checks the claims against the schema in the `claims` option. Returns no step if this option is
 * not set.
 */
function checkSchema({ checkCustomClaims }: JwtSteps): readonly VerificationStep[] {
  if (checkCustomClaims === anyClaims) return []
  const schema = step({
    name: 'claims schema',
    option: 'claims',
    needs: 'decoded',
    run: ({ decoded: { claims } }) => checkCustomClaims(claims),
    shows: ({ decoded: { claims } }) => ({ claims: Object.keys(claims) }),
  })
  return [schema]
}
