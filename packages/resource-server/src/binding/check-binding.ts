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

/** The settings for DPoP-bound tokens (RFC 9449). Times are in milliseconds. */
export interface DpopSettings {
  readonly mode: DpopMode
  readonly algorithms: readonly Algorithm[]
  readonly maxProofAgeMs: number
  /** The public origin of the API. If undefined, the origin of each request is used instead. */
  readonly origin: string | undefined
  /**
   * The secret from which DPoP nonces are derived, or `true` for a random secret. If undefined, clients need no nonce.
   */
  readonly nonceSecret: string | true | undefined
  readonly replayStore: ReplayStore
}

/** A request and its reply, together with the token and the route's DPoP mode. */
export interface Presented {
  readonly credentials: Credentials
  readonly dpop: DpopMode
  readonly request: FastifyRequest
  /** The reply. Its `DPoP-Nonce` header is set if the client needs a new nonce. */
  readonly reply: FastifyReply
}

/**
 * Checks that the sender of a request may use its token. If the token is bound to a key or a certificate, the request
 * must prove possession of it (RFC 7800 §3.1).
 */
export type CheckBinding = (token: AccessToken, presented: Presented) => MaybePromise<Refusal | undefined>

/**
 * Checks that a request has a valid DPoP proof for a key (RFC 9449 §4.3), and that the proof has not been used before.
 */
export type CheckPossession = (jkt: string, presented: Presented) => MaybePromise<Refusal | undefined>

/**
 * @param checkPossession checks DPoP proofs. If undefined, tokens with a DPoP proof are refused
 * @param certificate the source of client certificates. If undefined, certificate-bound tokens are refused
 * @throws {InvalidOptionError} if `certificate` is an async function
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
