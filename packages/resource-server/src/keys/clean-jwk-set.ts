import { isObject } from 'declared-options'
import type { JsonObject } from 'oauth-issuer-connection'

/** The entries of a JWK set (RFC 7517 §5); undefined if it has no list of keys. */
export function entriesOf(set: JsonObject): readonly unknown[] | undefined {
  const { keys } = set
  return Array.isArray(keys) ? keys.map(cleanEntry) : undefined
}

/**
 * Removes members that say nothing: null, or empty. Some servers write every member they know of, as in
 * `"use": null, "x5c": []`; RFC 7517 §4 has them absent. What is not an object stays as it is and is rejected later.
 */
export function cleanEntry(entry: unknown): unknown {
  if (!isObject(entry)) return entry
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
