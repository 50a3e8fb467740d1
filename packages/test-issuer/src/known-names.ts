/**
 * A misspelt name would be a setting that silently does nothing.
 * @throws {TypeError} naming what is unknown, and what there is
 */
export function refuseUnknownNames(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new TypeError(
        `oauth-test-issuer: ${where} does not know \`${name}\`; it knows ${known.join(', ')}`,
      )
}
