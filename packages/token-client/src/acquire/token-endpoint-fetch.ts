import type { Dispatcher } from 'undici'
import type { TlsSettings } from '../options/connection-options.js'
import { TokenRequestFailure } from './token-request-failure.js'

/** The `fetch` that oauth4webapi uses for metadata and tokens. */
export type TokenEndpointFetch = (
  url: string,
  options: { method?: string; headers?: unknown; body?: unknown },
) => Promise<Response>

const maxBytes = 65_536
/** One does for client credentials; tokens on behalf of many callers are asked for side by side. */
const maxConnections = 16

/** A way to the authorization server: bounded in time and size, and never redirected, so that no secret is sent on. */
export interface ServerConnection {
  readonly send: TokenEndpointFetch
  close(): Promise<void>
}

/** @param timeoutMs for one exchange altogether, milliseconds */
export function connectToServer(
  given: Dispatcher | undefined,
  timeoutMs: number,
  tls: TlsSettings,
): ServerConnection {
  let own: Promise<Dispatcher> | undefined
  let closed = false
  return {
    async send(url, options) {
      if (closed) throw new TokenRequestFailure('the client is closed') // nobody would close what it opens
      const { fetch } = await import('undici')
      const dispatcher = given ?? (await (own ??= openAgent(timeoutMs, tls)))
      const response = await fetch(url, {
        ...(options as object),
        dispatcher,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
      return withBoundedBody(response)
    },
    async close() {
      closed = true
      await (await own)?.destroy()
    },
  }
}

async function openAgent(timeoutMs: number, tls: TlsSettings): Promise<Dispatcher> {
  const { Agent } = await import('undici')
  return new Agent({
    connections: maxConnections,
    connect: { ...tls, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxBytes,
    keepAliveTimeout: 1_000,
  })
}

/** The Agent counts what is on the wire; a few kilobytes of it can unfold to gigabytes, and a given dispatcher may not count. */
function withBoundedBody({ body, status, statusText, headers }: Response): Response {
  if (body === null) return new Response(body, { status, statusText, headers })
  let size = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      size += chunk.byteLength
      if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`)
      controller.enqueue(chunk)
    },
  })
  return new Response(body.pipeThrough(counter), { status, statusText, headers })
}
