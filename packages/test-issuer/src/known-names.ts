/** A value as an error shows it. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/**
 * A misspelt name would be a setting that silently does nothing.
 * @throws {TypeError} naming what is unknown, and what there is
 */
export function refuseUnknownNames(where: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`oauth-test-issuer: ${where} is ${show(given)}; it wants an object`)
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new TypeError(
        `oauth-test-issuer: ${where} does not know \`${name}\`; it knows ${known.join(', ')}`,
      )
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** RFC 6749 §3.3: one scope, without spaces. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(value)
}
