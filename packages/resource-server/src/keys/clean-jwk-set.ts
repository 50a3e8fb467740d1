import { isObject } from 'declared-options'
import type { JsonObject } from 'oauth-issuer-connection'

/** Returns the entries of a JWK set (RFC 7517 §5), or undefined if its `keys` member is not an array. */
export function entriesOf(set: JsonObject): readonly unknown[] | undefined {
  const { keys } = set
  return Array.isArray(keys) ? keys.map(cleanEntry) : undefined
}

/**
 * Removes null and empty members from a JWK. Some servers send members such as `"use": null, "x5c": []` instead of
 * omitting them (RFC 7517 §4). An entry that is not an object is returned unchanged and rejected later.
 */
export function cleanEntry(entry: unknown): unknown {
  if (!isObject(entry)) return entry
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}
