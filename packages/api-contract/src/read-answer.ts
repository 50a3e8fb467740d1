import type { Received, ReceivedAnswer } from './answer.js'
import { UnexpectedBodyError, UnexpectedStatusError } from './errors.js'
import type { Operation } from './operation.js'
import { schemaProblems } from './schema-problems.js'

const maxJsonBytes = 10 * 1024 * 1024
/** Of an unexpected answer, only the beginning is of use. */
const maxErrorBytes = 65_536

export async function readAnswer(
  name: string,
  responses: Operation['responses'],
  { statusCode: status, headers, body: stream }: Received,
): Promise<ReceivedAnswer> {
  const schema = responses[status]
  const retryAfterMs = readRetryAfter(String(headers['retry-after']))
  const text = await read(stream, schema ? maxJsonBytes : maxErrorBytes)
  const received = { status, headers, retryAfterMs }
  if (schema === undefined)
    throw new UnexpectedStatusError(name, Object.keys(responses).join(', '), { ...received, body: text })
  if (schema === null) return { ...received, body: undefined }
  const body = parse(text)
  const problems =
    text.length > maxJsonBytes
      ? 'it is larger than 10 MiB'
      : body === undefined
        ? 'it is not JSON'
        : await schemaProblems(schema, body)
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

async function read(stream: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.byteLength
    // Leaving the loop destroys the stream.
    if (size > limit) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** `setTimeout` runs at once for more. */
const longestTimerMs = 2 ** 31 - 1

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now. */
function readRetryAfter(text: string): number | undefined {
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith(' GMT')
      ? Date.parse(text) - Date.now()
      : -1
  return ms >= 0 ? Math.min(ms, longestTimerMs) : undefined
}
