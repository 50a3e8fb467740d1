import type { Dispatcher } from 'undici'

/** What TLS connections are opened with, as PEM. */
export interface TlsSettings {
  /** Certificate authorities to trust instead of Node's. */
  readonly ca?: string
  /** The client certificate to present (RFC 8705), whichever way the client authenticates. */
  readonly cert?: string
  readonly key?: string
}

/**
 * Opens a dispatcher. It goes through the proxy that the environment names if Node's own `fetch` would.
 * @param timeoutMs bounds each phase of an exchange, in milliseconds
 */
export async function openDispatcher(
  tls: TlsSettings,
  timeoutMs: number,
  connections: number,
): Promise<Dispatcher> {
  // Loaded when a server is first contacted: an application's start does not wait for it.
  const { Agent, EnvHttpProxyAgent } = await import('undici')
  const connect = { ...tls, timeout: timeoutMs }
  const options = {
    connections,
    connect,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 1_000,
  }
  if (!usesEnvironmentProxy(process.env, process.execArgv)) return new Agent(options)
  // The proxy itself is not shown the client certificate.
  const { ca } = tls
  return new EnvHttpProxyAgent({
    ...options,
    requestTls: connect,
    proxyTls: { ...(ca === undefined ? {} : { ca }), timeout: timeoutMs },
  })
}

/** When Node's `fetch` reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`: exactly 1, or the command-line option. */
export function usesEnvironmentProxy(
  environment: Readonly<Record<string, string | undefined>>,
  execArgv: readonly string[],
): boolean {
  const option = '--use-env-proxy'
  return (
    environment['NODE_USE_ENV_PROXY'] === '1' ||
    execArgv.includes(option) ||
    (environment['NODE_OPTIONS'] ?? '').split(/\s+/).includes(option)
  )
}
