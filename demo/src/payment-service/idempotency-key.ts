import { createHash } from 'node:crypto'
import createError from '@fastify/error'

/** 400: without a valid key, a repeated request could pay twice. */
export const IdempotencyKeyError = createError(
  'IDEMPOTENCY_KEY_REQUIRED',
  'Send an Idempotency-Key header with 1 to 255 printable characters, such as a UUID; send the same one when you repeat this request.',
  400,
)
/** 409: the first request with this key is still being processed. */
export const IdempotencyKeyInUseError = createError(
  'IDEMPOTENCY_KEY_IN_USE',
  'A request with this Idempotency-Key is still being processed; repeat it shortly.',
  409,
)
/**
 * 422: another request used this key before. The answer names its payment, because the client may not know the outcome.
 */
export class IdempotencyKeyReusedError extends createError(
  'IDEMPOTENCY_KEY_REUSED',
  'This Idempotency-Key was used for a different request; use a new one for a new payment.',
  422,
) {
  readonly members: { readonly paymentId: string }

  constructor(paymentId: string) {
    super()
    this.members = { paymentId }
  }
}

/**
 * Reads the key, either as a structured string (RFC 9651 §3.3.3, draft-ietf-httpapi-idempotency-key-header) or as the
 * bare value that most clients send. Both forms are the same key.
 * @throws {IdempotencyKeyError}
 */
export function readIdempotencyKey(header: string | string[] | undefined): string {
  if (typeof header !== 'string') throw new IdempotencyKeyError()
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(header.trim())
  const key = quoted?.[1]?.replaceAll(/\\(.)/g, '$1') ?? header.trim()
  const isBare = /^[!#-+\--[\]-~]+$/.test(key)
  if ((quoted === null && !isBare) || key.length === 0 || key.length > 255) throw new IdempotencyKeyError()
  return key
}

/**
 * Returns the SHA-256 of the content, regardless of the order of its members. Two requests are equal if their
 * fingerprints are.
 */
export function fingerprint(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content, sortMembers)).digest('hex')
}

function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
