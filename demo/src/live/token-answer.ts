import type { TokenAnswer } from './exchange.js'
import { decodeToken } from './mask.js'

/**
 * Parses the response of a token endpoint (RFC 6749 §5.1, §5.2).
 * @returns undefined if the body is not a JSON object
 */
export function readTokenAnswer(body: string): TokenAnswer | undefined {
  const answer = parseObject(body)
  if (answer === undefined) return undefined
  const { access_token: accessToken, error } = answer
  const token = typeof accessToken === 'string' ? decodeToken(accessToken) : undefined
  return {
    text: JSON.stringify(answer, withoutTokens, 2),
    ...(token === undefined ? {} : { token }),
    ...(typeof error === 'string' ? { error } : {}),
  }
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function withoutTokens(name: string, value: unknown): unknown {
  return name.endsWith('_token') && typeof value === 'string' ? `${value.slice(0, 12)}…•••` : value
}
