import type { Received, ReceivedAnswer } from './answer.js'
import { UnexpectedAnswerError } from './errors.js'
import type { Operation } from './operation.js'
import { schemaProblems } from './schema-problems.js'

const maxJsonBytes = 10 * 1024 * 1024
/** The size limit for responses without a schema. The text of such a response is used only in errors. */
const maxTextBytes = 64 * 1024

/** @throws {UnexpectedAnswerError} */
export async function readAnswer(
  name: string,
  responses: Operation['responses'],
  { statusCode: status, headers, body: stream }: Received,
): Promise<ReceivedAnswer> {
  const schema = responses[status]
  const { text, isCut } = await read(stream, schema ? maxJsonBytes : maxTextBytes)
  const received = {
    status,
    headers,
    retryAfterMs: readRetryAfter(String(headers['retry-after'])),
    body: text,
  }
  if (schema === null) return { ...received, body: undefined }
  if (schema === undefined)
    throw new UnexpectedAnswerError(name, received, `; expected ${Object.keys(responses).join(', ')}`)
  const body = parse(text)
  const problem = isCut
    ? 'it is larger than 10 MiB'
    : body === undefined
      ? 'it is not JSON'
      : await schemaProblems(schema, body)
  if (problem)
    throw new UnexpectedAnswerError(name, received, `, but the body does not match the contract: ${problem}`)
  return { ...received, body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function read(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ text: string; isCut: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    bytes += chunk.length
    if (bytes > maxBytes) break
  }
  return { text: text + decoder.decode(), isCut: bytes > maxBytes }
}

/**
 * Converts a `Retry-After` header to milliseconds from now. The header contains a number of seconds or a date (RFC 9110
 * §10.2.3).
 */
function readRetryAfter(text: string): number | undefined {
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith(' GMT')
      ? Date.parse(text) - Date.now()
      : -1
  // The maximum is the longest delay that `setTimeout` supports. With a longer delay, `setTimeout` would fire immediately.
  return ms >= 0 ? Math.min(ms, 2 ** 31 - 1) : undefined
}
