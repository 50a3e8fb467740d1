/**
 * What a token endpoint granted (RFC 6749 §5.1), without the token itself.
 * @returns undefined for anything that is no such answer
 */
export function tellGrant(answer: string): string | undefined {
  try {
    const { scope, expires_in: seconds } = JSON.parse(answer) as { scope?: unknown; expires_in?: unknown }
    const lifetime = typeof seconds === 'number' ? `, for ${seconds} s` : ''
    const granted = typeof scope === 'string' ? scope : 'what was asked for'
    return `${granted}${lifetime}; kept and used again until shortly before its end`
  } catch {
    return undefined
  }
}
