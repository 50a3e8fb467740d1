import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessToken } from '../access-token.js'
import type { DpopMode } from '../authorize/requirement.js'
import { Refusal } from '../errors.js'
import type { Credentials } from '../extract-token.js'
import type { Algorithm } from '../keys/algorithms.js'
import type { MaybePromise } from '../later.js'
import {
  createCertificateThumbprint,
  type CertificateThumbprint,
  type ClientCertificate,
} from './client-certificate.js'
import { confirmationOf } from './confirmation.js'
import type { ReplayStore } from './replay-store.js'

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

/** Checks that a request proves possession of a key (RFC 9449 §4.3), with a proof that was not used before. */
export type CheckPossession = (jkt: string, presented: Presented) => MaybePromise<Refusal | undefined>

/**
 * @param checkPossession undefined: tokens with a DPoP proof are refused
 * @param certificate undefined: tokens that are bound to a certificate are refused
 * @throws {InvalidOptionError}
 */
export function createBindingCheck(
  checkPossession: CheckPossession | undefined,
  certificate: ClientCertificate | undefined,
): CheckBinding {
  const certificateOf = certificate === undefined ? undefined : createCertificateThumbprint(certificate)
  return (token, presented) => {
    const confirmation = confirmationOf(token)
    if (confirmation instanceof Refusal) return confirmation
    const isBearer = presented.credentials.scheme === 'bearer'
    if (isBearer && presented.dpop === 'require')
      return new Refusal('binding', 'the route accepts only tokens with a DPoP proof')
    const { jkt, 'x5t#S256': certificateBound } = confirmation
    if (certificateBound !== undefined) {
      const refusal = checkCertificate(certificateBound, certificateOf, presented.request)
      if (refusal !== undefined) return refusal
    }
    if (isBearer) {
      if (jkt === undefined) return undefined
      return new Refusal('binding', 'the token is bound to a key, but the request has no DPoP proof')
    }
    if (jkt === undefined || checkPossession === undefined)
      return new Refusal('binding', 'the request has a DPoP proof, but the token is not bound to a key')
    return checkPossession(jkt, presented)
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
      'the token is bound to a certificate, but the option clientCertificate is not set',
    )
  const shown = certificateOf(request)
  if (shown instanceof Refusal) return shown
  return shown === bound
    ? undefined
    : new Refusal('binding', 'the client did not present the certificate that the token is bound to')
}
