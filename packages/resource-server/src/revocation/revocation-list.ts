import type { AccessToken } from '../access-token.js'
import type { Revocation, RevokedBy, RevokedTokens } from './revocation.js'

/** The revocations known to this process. */
export interface RevocationList {
  /** Returns the revocation that applies to a token, or undefined if the token is not revoked. */
  find(token: AccessToken): Revocation | undefined
  /**
   * Adds a revocation, or replaces the existing revocation of the same tokens. Returns false if the list already has
   * `max` entries.
   */
  add(revocation: Revocation, max: number): boolean
  get(tokens: RevokedTokens): Revocation | undefined
  delete(tokens: RevokedTokens): void
  /** Returns all revocations that are still in effect. */
  all(): Iterable<Revocation>
}

/** The dependencies of a revocation list. */
export interface ListSettings {
  readonly clockToleranceMs: number
  readonly now: () => number
  /** Returns the id of the key that verified a token. */
  readonly keyIdOf: (token: AccessToken) => string | undefined
}

type Entries = Readonly<Record<RevokedBy, Map<string, Revocation>>>

/**
 * Keeps revocations in memory. Expired revocations are kept until their space is needed, so that they take effect again
 * if the clock is set back.
 */
export function createRevocationList(settings: ListSettings): RevocationList {
  const { now } = settings
  const byIssuer = new Map<string, Entries>()
  let size = 0
  /** The earliest time at which a revocation in the list ends, in milliseconds since the epoch. */
  let earliestEnd = Infinity

  function entriesOf(issuer: string): Entries {
    let entries = byIssuer.get(issuer)
    if (entries === undefined) byIssuer.set(issuer, (entries = noEntries()))
    return entries
  }

  function remove({ issuer, by, value }: RevokedTokens): void {
    const entries = byIssuer.get(issuer)
    if (entries?.[by].delete(value) !== true) return
    size -= 1
    if (Object.values(entries).every(values => values.size === 0)) byIssuer.delete(issuer)
  }

  function* all(): Generator<Revocation> {
    for (const entries of byIssuer.values()) for (const by of Object.values(entries)) yield* by.values()
  }

  function* current(): Generator<Revocation> {
    const time = now()
    for (const revocation of all()) if (time < revocation.until) yield revocation
  }

  function removeEnded(): void {
    const time = now()
    if (time < earliestEnd) return
    earliestEnd = Infinity
    for (const revocation of all())
      if (time >= revocation.until) remove(revocation)
      else earliestEnd = Math.min(earliestEnd, revocation.until)
  }

  return {
    find(token) {
      if (size === 0) return undefined
      const entries = byIssuer.get(token.issuer)
      return entries === undefined ? undefined : findIn(entries, token, settings)
    },
    add(revocation, max) {
      const { issuer, by, value } = revocation
      const isNew = byIssuer.get(issuer)?.[by].has(value) !== true
      if (isNew && size >= max) removeEnded()
      if (isNew && size >= max) return false
      entriesOf(issuer)[by].set(value, revocation)
      if (isNew) size += 1
      earliestEnd = Math.min(earliestEnd, revocation.until)
      return true
    },
    get: ({ issuer, by, value }) => byIssuer.get(issuer)?.[by].get(value),
    delete: remove,
    all: current,
  }
}

function noEntries(): Entries {
  return { jti: new Map(), clientId: new Map(), subject: new Map(), keyId: new Map() }
}

function findIn(entries: Entries, token: AccessToken, settings: ListSettings): Revocation | undefined {
  const { clientId, subject, claims } = token
  const byJti = entries.jti.get(claims['jti'] as string)
  if (applies(byJti, token, settings)) return byJti
  const byClient = clientId === null ? undefined : entries.clientId.get(clientId)
  if (applies(byClient, token, settings)) return byClient
  const bySubject = subject === null ? undefined : entries.subject.get(subject)
  if (applies(bySubject, token, settings)) return bySubject
  const keyId = entries.keyId.size === 0 ? undefined : settings.keyIdOf(token)
  const byKey = keyId === undefined ? undefined : entries.keyId.get(keyId)
  return applies(byKey, token, settings) ? byKey : undefined
}

/** Returns whether a revocation is still in effect and covers the time at which the token was issued. */
function applies(
  revocation: Revocation | undefined,
  { claims }: AccessToken,
  { now, clockToleranceMs }: ListSettings,
): boolean {
  if (revocation === undefined || now() >= revocation.until) return false
  const { issuedBefore } = revocation
  const issuedAt = claims['iat']
  return (
    issuedBefore === undefined ||
    typeof issuedAt !== 'number' ||
    issuedAt * 1000 <= issuedBefore + clockToleranceMs
  )
}
