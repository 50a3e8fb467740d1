import type * as Undici from 'undici'
import type { Dispatcher } from 'undici'

/** The TLS settings of a connection, in PEM format. */
export interface TlsSettings {
  /** The certificate authorities to trust instead of Node.js's default authorities. */
  readonly ca?: string
  /** The client certificate to present (RFC 8705), regardless of the client authentication method. */
  readonly cert?: string
  readonly key?: string
}

/** The undici classes that open connections. */
export type UndiciAgents = Pick<typeof Undici, 'Agent' | 'EnvHttpProxyAgent'>

/**
 * Returns the agent options for requests to an issuer.
 * @param timeoutMs the time limit in milliseconds for each phase of a request: connecting, headers and body
 */
export function issuerAgentOptions(timeoutMs: number, connections: number): AgentOptions {
  return {
    connections,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 1_000,
  }
}

export interface AgentOptions extends Omit<Undici.Agent.Options, 'connect'> {
  readonly connect?: { readonly timeout: number }
}

/** Creates an agent that uses the proxy environment variables in the same cases as `fetch` in Node.js. */
export function createAgent(
  { Agent, EnvHttpProxyAgent }: UndiciAgents,
  tls: TlsSettings,
  options: AgentOptions = {},
): Dispatcher {
  const connect = { ...tls, ...options.connect }
  if (!usesEnvironmentProxy(process.env, process.execArgv)) return new Agent({ ...options, connect })
  // The client certificate is meant for the server, so it is not presented to the proxy.
  const { ca } = tls
  return new EnvHttpProxyAgent({
    ...options,
    connect,
    requestTls: connect,
    proxyTls: { ...(ca === undefined ? {} : { ca }), ...options.connect },
  })
}

/**
 * Returns true if `NODE_USE_ENV_PROXY` is `1` or `--use-env-proxy` is set. As with `fetch` in Node.js, requests then
 * use the proxy variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
 */
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
