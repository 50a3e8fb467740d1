import type { Dispatcher } from 'undici'
import type { TlsSettings } from '../options/options.js'

/** The `fetch` that oauth4webapi uses for metadata and tokens. */
export type TokenEndpointFetch = (
  url: string,
  options: { method?: string; headers?: unknown; body?: unknown },
) => Promise<Response>

const maxBytes = 65_536

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
  return {
    async send(url, options) {
      const { fetch } = await import('undici')
      const dispatcher = given ?? (await (own ??= openAgent(timeoutMs, tls)))
      return fetch(url, {
        ...(options as object),
        dispatcher,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
    },
    async close() {
      await (await own)?.destroy()
    },
  }
}

async function openAgent(timeoutMs: number, tls: TlsSettings): Promise<Dispatcher> {
  const { Agent } = await import('undici')
  return new Agent({
    connections: 2,
    connect: { ...tls, timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxBytes,
    keepAliveTimeout: 1_000,
  })
}
