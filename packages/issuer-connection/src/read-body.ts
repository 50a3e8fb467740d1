import { promisify, TextDecoder } from 'node:util'

/** The text of a response body, or the reason why the body cannot be read. */
export type BodyText =
  | { readonly text: string; readonly problem?: undefined }
  | { readonly text?: undefined; readonly problem: string }

/** The headers that describe the encoding of a body. */
interface BodyHeaders {
  readonly contentEncoding: string | undefined
  readonly contentType: string | undefined
}

/**
 * Reads a response body of at most `maxBytes`. The limit also applies to the decoded body, because 189 bytes of brotli
 * can decode to a gigabyte. Resolves with `problem` if the body is unreadable, and rejects only if the connection
 * fails.
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  headers: BodyHeaders,
  maxBytes: number,
): Promise<BodyText> {
  const tooLarge = { problem: `a body larger than ${maxBytes} bytes` }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) return tooLarge // Returning here destroys the stream and closes its connection.
    chunks.push(chunk)
  }
  try {
    const bytes = await decode(Buffer.concat(chunks), headers.contentEncoding, maxBytes)
    return { text: toText(bytes, headers.contentType) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge
    return { problem: `a body that cannot be decoded (${(error as Error).message})` }
  }
}

type ZlibFunction = 'gunzip' | 'brotliDecompress' | 'inflate' | 'inflateRaw'

/** Returns the name of the `node:zlib` function for a content coding (RFC 9110 §8.4.1). */
function decoderFor(coding: string, [firstByte = 0]: Buffer): ZlibFunction {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return 'gunzip'
    case 'br':
      return 'brotliDecompress'
    case 'deflate':
      // The coding `deflate` means the zlib format, but some servers omit the two-byte zlib header.
      return (firstByte & 0x0f) === 8 ? 'inflate' : 'inflateRaw'
    default:
      throw new Error(`content-encoding ${coding}`)
  }
}

/** The maximum number of content codings in one response, which limits the cost of decoding. */
const mostCodings = 2

/**
 * Decodes a response body. `Content-Encoding` lists the codings in the order in which the server applied them (RFC 9110
 * §8.4), so this function removes the codings in reverse order.
 */
async function decode(bytes: Buffer, contentEncoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name !== 'identity')
  if (codings.length === 0 || bytes.length === 0) return bytes
  if (codings.length > mostCodings) throw new Error(`content-encoding ${codings.join(', ')}`)
  const zlib = await import('node:zlib')
  let decoded = bytes
  for (const coding of codings.toReversed()) {
    const undo = promisify<Buffer, object, Buffer>(zlib[decoderFor(coding, decoded)])
    decoded = await undo(decoded, { maxOutputLength: maxBytes })
  }
  return decoded
}

const byteOrderMarks: readonly (readonly [charset: string, mark: Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
]

/**
 * Decodes a body to text. A byte order mark takes precedence over the declared charset (WHATWG Encoding §6). The
 * default is UTF-8 (RFC 8259 §8.1).
 */
function toText(bytes: Buffer, contentType: string | undefined): string {
  const [marked] = byteOrderMarks.find(([, mark]) => bytes.subarray(0, mark.length).equals(mark)) ?? []
  return textDecoder(marked ?? charsetOf(contentType)).decode(bytes) // drops the mark
}

function charsetOf(contentType: string | undefined): string {
  return /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
}

/** Creates a decoder for a charset. If the charset is unknown, the decoder uses UTF-8. */
function textDecoder(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}
