import type { Received, ReceivedAnswer } from './answer.js'
import { UnexpectedBodyError, UnexpectedStatusError } from './errors.js'
import type { Operation } from './operation.js'
import { schemaProblems } from './schema-problems.js'

export async function readAnswer(
  name: string,
  responses: Operation['responses'],
  { statusCode: status, headers, body: stream }: Received,
): Promise<ReceivedAnswer> {
  const schema = responses[status]
  const retryAfterMs = readRetryAfter(String(headers['retry-after']))
  const text = await read(stream)
  const received = { status, headers, retryAfterMs }
  if (schema === undefined)
    throw new UnexpectedStatusError(name, Object.keys(responses).join(', '), { ...received, body: text })
  if (schema === null) return { ...received, body: undefined }
  const body = parse(text)
  const problems =
    body === undefined ? 'it is larger than 10 MiB, or not JSON' : await schemaProblems(schema, body)
  if (problems) throw new UnexpectedBodyError(name, status, problems)
  return { ...received, body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Nothing if it is larger than 10 MiB. */
async function read(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    // Leaving the loop destroys the stream.
    if (text.length > 10 * 1024 * 1024) return ''
  }
  return text + decoder.decode()
}

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now. */
function readRetryAfter(text: string): number | undefined {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  // `setTimeout` runs at once for more.
  return ms >= 0 ? Math.min(ms, 2 ** 31 - 1) : undefined
}
