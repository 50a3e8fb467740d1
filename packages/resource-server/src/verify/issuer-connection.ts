import type { Dispatcher } from 'undici'

/** Bounds of every exchange with an issuer: what it may take altogether, and how large an answer may be. */
const usualTimeoutMs = 5_000
export const maxBytes = 65_536

/** A way to the issuer that ends in bounded time, takes a bounded answer and follows no redirect. */
export interface IssuerConnection {
  /** What one exchange may take altogether, in milliseconds. */
  readonly timeoutMs: number
  /** What requests go through; made at the first use. */
  dispatcher(): Promise<Dispatcher>
  /** The JSON at a URL; `body` is undefined unless the status is 200. */
  getJson(url: string): Promise<{ status: number; body: unknown }>
  close(): Promise<void>
}

/**
 * A dispatcher that the user gave (a proxy, say) is used as it is, and not closed.
 * @param timeoutMs what one exchange may take altogether, in milliseconds
 */
export function connectToIssuer(
  given: Dispatcher | undefined,
  timeoutMs: number = usualTimeoutMs,
): IssuerConnection {
  let own: Promise<Dispatcher> | undefined
  const dispatcher = async (): Promise<Dispatcher> => given ?? (own ??= openAgent(timeoutMs))
  return {
    timeoutMs,
    dispatcher,
    async getJson(url) {
      const { request } = await import('undici')
      const { statusCode, body } = await request(url, {
        dispatcher: await dispatcher(),
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (statusCode === 200) return { status: statusCode, body: await readJson(body, url) }
      await body.dump()
      return { status: statusCode, body: undefined }
    },
    async close() {
      await (await own)?.destroy()
    },
  }
}

/** undici is loaded when an issuer is first asked: an application's start does not wait for it. */
async function openAgent(timeoutMs: number): Promise<Dispatcher> {
  const { Agent } = await import('undici')
  return new Agent({
    connections: 2,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxBytes,
    keepAliveTimeout: 1_000,
  })
}

async function readJson(body: AsyncIterable<Buffer>, url: string): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`${url} answers with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return parseJson(chunks, url)
}

/** Parses an answer of the issuer. @throws {Error} naming the URL */
export function parseJson(chunks: readonly Uint8Array[], url: string): unknown {
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Error(`${url} does not answer with JSON`)
  }
}
