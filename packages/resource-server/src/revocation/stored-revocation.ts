import { createHash } from 'node:crypto'
import { isPlainObject } from 'declared-options'
import { longestMs, maxLength } from './read-revocation.js'
import { revokedBy, type Revocation, type RevokedBy, type RevokedTokens } from './revocation.js'

const maxValueLength = 16_384

/** Returns the id under which a revocation is stored. The id is a hash, so its length is fixed. */
export function idOf({ issuer, by, value }: RevokedTokens): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, by, value]))
    .digest('base64url')
}

export function writeStored({ issuer, by, value, until, issuedBefore }: Revocation): string {
  return JSON.stringify({ issuer, by, value, until, issuedBefore })
}

/**
 * Returns the value that marks a revocation as undone. Deleting the revocation from the store would not be enough,
 * because other processes read only values that are new.
 */
export function writeUndone(revocation: Revocation): string {
  return writeStored({ ...revocation, until: 0 })
}

export function isUndone({ until }: Revocation): boolean {
  return until === 0
}

/**
 * Parses a value from the store. The value may be invalid, because another program or another version of this package
 * may have written it.
 * @returns the revocation, or undefined if the value is not a revocation
 */
export function readStored(text: string, now: number): Revocation | undefined {
  const given = text.length <= maxValueLength ? parse(text) : undefined
  if (!isPlainObject(given)) return undefined
  const { issuer, by, value, until, issuedBefore } = given
  // The maximum of `until` is one day later than the maximum in `revoke`, because the clocks of two processes may differ.
  const isRevocation =
    isText(issuer) &&
    revokedBy.includes(by as RevokedBy) &&
    isText(value) &&
    isTime(until) &&
    until <= now + longestMs + 86_400_000 &&
    (issuedBefore === undefined || isTime(issuedBefore))
  return isRevocation ? { issuer, by: by as RevokedBy, value, until, issuedBefore } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
