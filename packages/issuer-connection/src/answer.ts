import { isObject } from 'declared-options'
import type { BodyText } from './read-body.js'

/** What an authorization server answered. */
export type IssuerAnswer = BodyText & {
  readonly url: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** The value of a header; the first one, if the header is repeated. */
export function headerOf({ headers }: IssuerAnswer, name: string): string | undefined {
  return [headers[name]].flat()[0]
}

export type JsonObject = Readonly<Record<string, unknown>>

/** The JSON object in an answer's body; undefined if it holds anything else. */
export function jsonObjectIn({ text }: IssuerAnswer): JsonObject | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** For error messages: `https://… answers 200 with text/html, expected a JSON object`. Quotes nothing of the body. */
export function describeAnswer(answer: IssuerAnswer): string {
  const { url, status, problem } = answer
  const location = status >= 300 && status < 400 ? headerOf(answer, 'location') : undefined
  if (location !== undefined)
    return `${url} answers ${status} (redirects to ${clip(location)}; redirects are not followed)`
  if (status !== 200) return `${url} answers ${status}, expected 200`
  if (problem !== undefined) return `${url} answers 200 with ${problem}, expected a JSON object`
  const type = headerOf(answer, 'content-type')
  return `${url} answers 200 with ${type === undefined ? 'no content type' : clip(type)}, expected a JSON object`
}

/** Text of a server, short enough for a log line and without control characters. */
export function clip(text: string, maxLength: number = 200): string {
  return text.replaceAll(/[^\x20-\x7E\u00A0-\uFFFF]/g, ' ').slice(0, maxLength)
}

/** The same answer for libraries that work with `fetch`. */
export function toResponse(answer: IssuerAnswer): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    // The body is already decoded, so the headers about its encoding no longer apply.
    if (name !== 'content-encoding' && name !== 'content-length')
      for (const one of [value ?? []].flat()) headers.append(name, one)
  const hasBody = ![204, 205, 304].includes(answer.status)
  return new Response(hasBody ? (answer.text ?? '') : null, { status: answer.status, headers })
}
