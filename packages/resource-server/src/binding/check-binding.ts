import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from '../access-token.js'
import type { DpopMode } from '../authorize/requirement.js'
import { Refusal } from '../errors.js'
import type { Credentials } from '../extract-token.js'
import { andThen, type MaybePromise } from '../later.js'
import type { Algorithm } from '../keys/algorithms.js'
import {
  createCertificateThumbprint,
  type CertificateThumbprint,
  type ClientCertificate,
} from './client-certificate.js'
import { confirmationOf } from './confirmation.js'
import { createProofCheck, type Proof } from './dpop-proof.js'
import { createNonces, type Nonces } from './nonce.js'
import type { ReplayStore } from './replay-store.js'
import { requestedUrl } from './requested-url.js'

/** How tokens that are bound to a key are treated (RFC 9449). Times in milliseconds. */
export interface DpopSettings {
  readonly mode: DpopMode
  readonly algorithms: readonly Algorithm[]
  readonly maxProofAgeMs: number
  /** What the API is called by its clients; undefined: as each request says. */
  readonly origin: string | undefined
  /** Undefined: no nonce is demanded. */
  readonly nonceSecret: string | true | undefined
  readonly replayStore: ReplayStore
}

/** How a request presents its token. */
export interface Presented {
  readonly credentials: Credentials
  /** Whether the route takes tokens with a proof, and others. */
  readonly dpop: DpopMode
  readonly request: FastifyRequest
  /** Where a new nonce goes to. */
  readonly reply: FastifyReply
}

/**
 * Checks that a request may use a token (RFC 7800 §3.1): one that is bound to a key or a certificate needs the proof of
 * it, and is never taken for a plain one.
 */
export type CheckBinding = (token: AccessToken, presented: Presented) => MaybePromise<Refusal | undefined>

export function createBindingCheck(
  dpop: DpopSettings | undefined,
  certificate: ClientCertificate | undefined,
  now: () => number,
): CheckBinding {
  const certificateOf = certificate === undefined ? undefined : createCertificateThumbprint(certificate)
  const checkProof = dpop === undefined ? undefined : createProofCheckOfRequest(dpop, now)
  return (token, presented) => {
    const confirmation = confirmationOf(token)
    if (confirmation instanceof Refusal) return confirmation
    const isBearer = presented.credentials.scheme === 'bearer'
    if (isBearer && presented.dpop === 'require')
      return new Refusal('binding', 'the route takes tokens with a DPoP proof only')
    const { jkt, 'x5t#S256': certificateBound } = confirmation
    if (certificateBound !== undefined) {
      const refusal = checkCertificate(certificateBound, certificateOf, presented.request)
      if (refusal !== undefined) return refusal
    }
    if (isBearer) {
      if (jkt === undefined) return undefined
      return new Refusal('binding', 'the token is bound to a key, and came without a DPoP proof')
    }
    if (jkt === undefined || checkProof === undefined)
      return new Refusal('binding', 'the token came with a DPoP proof, and is not bound to a key')
    return checkProof(jkt, presented)
  }
}

function checkCertificate(
  bound: string,
  certificateOf: CertificateThumbprint | undefined,
  request: FastifyRequest,
): Refusal | undefined {
  if (certificateOf === undefined)
    return new Refusal(
      'binding',
      'the token is bound to a certificate; the option clientCertificate is not set',
    )
  const shown = certificateOf(request)
  if (shown instanceof Refusal) return shown
  return shown === bound
    ? undefined
    : new Refusal('binding', 'the client did not show the certificate of the token')
}

type CheckProofOfRequest = (jkt: string, presented: Presented) => ReturnType<CheckBinding>

function createProofCheckOfRequest(settings: DpopSettings, now: () => number): CheckProofOfRequest {
  const { algorithms, maxProofAgeMs, origin, nonceSecret, replayStore } = settings
  const check = createProofCheck(algorithms, maxProofAgeMs, now)
  const nonces =
    nonceSecret === undefined ? undefined : createNonces(now, nonceSecret === true ? undefined : nonceSecret)
  return (jkt, { credentials: { accessToken }, request, reply }) => {
    const text = singleProof(request)
    if (text instanceof Refusal) return text
    const url = requestedUrl(request, origin)
    if (url instanceof Refusal) return url
    const proof = check(text, { method: request.method, url, accessToken, boundTo: jkt })
    if (proof instanceof Refusal) return proof
    const refusal = nonces === undefined ? undefined : checkNonce(proof, nonces, reply)
    return refusal ?? refuseReplay(proof, replayStore, maxProofAgeMs)
  }
}

/** RFC 9449 §4.3: not more than one. */
function singleProof({ raw: { rawHeaders }, headers: { dpop } }: FastifyRequest): string | Refusal {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'dpop').length
  return typeof dpop === 'string' && count === 1
    ? dpop
    : new Refusal('proof', 'the request has not exactly one DPoP proof')
}

function checkNonce({ nonce }: Proof, nonces: Nonces, reply: FastifyReply): Refusal | undefined {
  const current = nonces.current()
  if (nonce !== current) reply.header('dpop-nonce', current)
  return nonce !== undefined && nonces.isValid(nonce)
    ? undefined
    : new Refusal('nonce', 'the proof lacks the nonce, or has an old one')
}

/** Refuses a proof that was used before (RFC 9449 §11.1). */
function refuseReplay(
  { thumbprint, jti }: Proof,
  store: ReplayStore,
  maxProofAgeMs: number,
): MaybePromise<Refusal | undefined> {
  let added: boolean | PromiseLike<boolean>
  try {
    // A proof is accepted from iat - maxProofAgeMs to iat + maxProofAgeMs, so its id is kept for twice that.
    added = store.add(`${thumbprint}.${jti}`, 2 * maxProofAgeMs)
  } catch (error) {
    return storeFailed(error)
  }
  // The store may return a thenable that is no Promise.
  const settled: MaybePromise<unknown> =
    typeof added === 'boolean' ? added : Promise.resolve(added).catch(storeFailed)
  return andThen(settled, isNew => {
    if (isNew instanceof Refusal) return isNew
    return isNew === true ? undefined : new Refusal('proof', 'the DPoP proof was used before')
  })
}

function storeFailed(error: unknown): Refusal {
  const detail = `the replay store: ${(error as Error).message}`
  return new Refusal('unavailable', detail, { retryAfterMs: 1_000 })
}
