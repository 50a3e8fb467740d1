import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../errors.js'
import type { CheckPossession, DpopSettings } from './check-binding.js'
import { createProofCheck, type Proof } from './dpop-proof.js'
import { createNonces, type Nonces } from './nonce.js'
import { requestedUrl } from './requested-url.js'
import type { UsedProofs } from './used-proofs.js'

export function createPossessionCheck(
  { algorithms, maxProofAgeMs, origin, nonceSecret }: DpopSettings,
  usedProofs: Pick<UsedProofs, 'refuseReplay'>,
  now: () => number,
): CheckPossession {
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
    return refusal ?? usedProofs.refuseReplay(proof)
  }
}

/**
 * Returns the DPoP proof from the request's `DPoP` header. Requests without this header, and requests with more than
 * one, are refused (RFC 9449 §4.3).
 */
function singleProof({ raw: { rawHeaders }, headers: { dpop } }: FastifyRequest): string | Refusal {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'dpop').length
  return typeof dpop === 'string' && count === 1
    ? dpop
    : new Refusal('proof', 'the request must have exactly one DPoP header')
}

function checkNonce({ nonce }: Proof, nonces: Nonces, reply: FastifyReply): Refusal | undefined {
  const current = nonces.current()
  if (nonce !== current) reply.header('dpop-nonce', current)
  return nonce !== undefined && nonces.isValid(nonce)
    ? undefined
    : new Refusal('nonce', 'the nonce in the DPoP proof is missing, unknown or expired')
}
