import { createHash } from 'node:crypto'
import { isPlainObject } from 'declared-options'
import { longestMs, maxLength } from './read-revocation.js'
import { revokedBy, type Revocation, type RevokedBy, type RevokedTokens } from './revocation.js'

const maxValueLength = 16_384

/** What revocations of the same tokens have in common: of one size, whatever the claims are. */
export function idOf({ issuer, by, value }: RevokedTokens): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, by, value]))
    .digest('base64url')
}

export function writeStored({ issuer, by, value, until, issuedBefore }: Revocation): string {
  return JSON.stringify({ issuer, by, value, until, issuedBefore })
}

/** Stored in place of a revocation that was undone: readers ask for what is new, so it cannot just be removed. */
export function writeUndone(revocation: Revocation): string {
  return writeStored({ ...revocation, until: 0 })
}

export function isUndone({ until }: Revocation): boolean {
  return until === 0
}

/**
 * Reads a value of the store, in which other versions or programs may have put anything.
 * @returns undefined if it is no revocation
 */
export function readStored(text: string, now: number): Revocation | undefined {
  const given = text.length <= maxValueLength ? parse(text) : undefined
  if (!isPlainObject(given)) return undefined
  const { issuer, by, value, until, issuedBefore } = given
  // A day more than `revoke` allows, for clocks that differ.
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
