import { isObject } from 'declared-options'
import type { BodyText } from './read-body.js'

/** A response from an authorization server. */
export type IssuerAnswer = BodyText & {
  readonly url: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Returns the value of a response header. If the header is repeated, returns its first value. */
export function headerOf({ headers }: IssuerAnswer, name: string): string | undefined {
  return [headers[name]].flat()[0]
}

export type JsonObject = Readonly<Record<string, unknown>>

/** Parses a response body as a JSON object. Returns undefined if the body is not a JSON object. */
export function jsonObjectIn({ text }: IssuerAnswer): JsonObject | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Describes a response for an error message, such as `https://… responded with 404, expected 200`. The description does
 * not contain the response body.
 */
export function describeAnswer(answer: IssuerAnswer): string {
  const { url, status, problem } = answer
  const location = status >= 300 && status < 400 ? headerOf(answer, 'location') : undefined
  if (location !== undefined)
    return `${url} responded with ${status} (redirects to ${clip(location)}; redirects are not followed)`
  if (status !== 200) return `${url} responded with ${status}, expected 200`
  if (problem !== undefined) return `${url} responded with 200 and ${problem}, expected a JSON object`
  const type = headerOf(answer, 'content-type')
  return `${url} responded with 200 and ${type === undefined ? 'no content type' : clip(type)}, expected a JSON object`
}

/** Shortens text from a server and replaces control characters with spaces, so that the text is safe to log. */
export function clip(text: string, maxLength: number = 200): string {
  return text.replaceAll(/[^\x20-\x7E\u00A0-\uFFFF]/g, ' ').slice(0, maxLength)
}

/** Converts a response from the authorization server into a `Response` object of the Fetch API. */
export function toResponse(answer: IssuerAnswer): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    // The body is already decoded, so its `content-encoding` and `content-length` no longer apply.
    if (name !== 'content-encoding' && name !== 'content-length')
      for (const one of [value ?? []].flat()) headers.append(name, one)
  const hasBody = ![204, 205, 304].includes(answer.status)
  return new Response(hasBody ? (answer.text ?? '') : null, { status: answer.status, headers })
}
