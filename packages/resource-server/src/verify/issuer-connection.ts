import type { Dispatcher } from 'undici'

/** Bounds of every exchange with an issuer: what it may take altogether, and how large an answer may be. */
const usualTimeoutMs = 5_000
export const maxBytes = 65_536

/** A way to the issuer that ends in bounded time, takes a bounded answer and follows no redirect. */
export interface IssuerConnection extends IssuerExchange {
  /** What one exchange may take altogether, in milliseconds. */
  readonly timeoutMs: number
  /** For several requests that one exchange needs: the time is for all of them together. */
  exchange(): IssuerExchange
  close(): Promise<void>
  isClosed(): boolean
}

/** Asks the issuer for something. */
export interface IssuerExchange {
  /** What requests go through; made at the first use. */
  dispatcher(): Promise<Dispatcher>
  /** Aborts what takes too long. */
  signal(): AbortSignal
  /** The JSON at a URL; `body` is undefined unless the status is 200. @throws {Error} naming the URL */
  getJson(url: string): Promise<{ status: number; body: unknown }>
}

/**
 * A dispatcher that the user gave (a proxy, say) is used as it is, and not closed.
 * @param timeoutMs what one exchange may take altogether, in milliseconds
 * @param ca certificate authorities to trust, as PEM, instead of those of Node
 */
export function connectToIssuer(
  given: Dispatcher | undefined,
  timeoutMs: number = usualTimeoutMs,
  ca?: string,
): IssuerConnection {
  let own: Promise<Dispatcher> | undefined
  let closed = false
  const dispatcher = async (): Promise<Dispatcher> => given ?? (own ??= openAgent(timeoutMs, ca))
  const startSignal = (): AbortSignal => AbortSignal.timeout(timeoutMs)
  const exchangeUnder = (signal: () => AbortSignal): IssuerExchange => ({
    dispatcher,
    signal,
    getJson: async url => getJson(url, await dispatcher(), signal()),
  })
  return {
    ...exchangeUnder(startSignal),
    timeoutMs,
    exchange() {
      const signal = startSignal()
      return exchangeUnder(() => signal)
    },
    async close() {
      closed = true
      await (await own)?.destroy()
    },
    isClosed: () => closed,
  }
}

async function getJson(
  url: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  const { request } = await import('undici')
  const headers = { accept: 'application/json' }
  try {
    const { statusCode, body } = await request(url, { dispatcher, headers, signal })
    if (statusCode === 200) return { status: statusCode, body: parseJson(await readAll(body), url) }
    await body.dump()
    return { status: statusCode, body: undefined }
  } catch (error) {
    const { message } = error as Error
    throw message.startsWith(url) ? error : new Error(`${url}: ${message}`, { cause: error })
  }
}

/** undici is loaded when an issuer is first asked: an application's start does not wait for it. */
async function openAgent(timeoutMs: number, ca: string | undefined): Promise<Dispatcher> {
  const { Agent } = await import('undici')
  return new Agent({
    connections: 2,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxBytes,
    keepAliveTimeout: 1_000,
  })
}

async function readAll(body: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks
}

/** Parses an answer of the issuer. @throws {Error} naming the URL */
export function parseJson(chunks: readonly Uint8Array[], url: string): unknown {
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Error(`${url} does not answer with JSON`)
  }
}
