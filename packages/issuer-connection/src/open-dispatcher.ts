import type * as Undici from 'undici'
import type { Dispatcher } from 'undici'

/** The TLS settings of connections, as PEM. */
export interface TlsSettings {
  /** Certificate authorities to trust instead of Node's. */
  readonly ca?: string
  /** The client certificate to present (RFC 8705), whichever way the client authenticates. */
  readonly cert?: string
  readonly key?: string
}

/** The part of undici that opens connections. */
export type UndiciAgents = Pick<typeof Undici, 'Agent' | 'EnvHttpProxyAgent'>

/** For requests to an issuer. @param timeoutMs bounds each phase of an exchange, in milliseconds */
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

/** Makes an agent whose requests use the proxy from the environment in the same cases as Node's own `fetch`. */
export function createAgent(
  { Agent, EnvHttpProxyAgent }: UndiciAgents,
  tls: TlsSettings,
  options: AgentOptions = {},
): Dispatcher {
  const connect = { ...tls, ...options.connect }
  if (!usesEnvironmentProxy(process.env, process.execArgv)) return new Agent({ ...options, connect })
  // The proxy itself is not shown the client certificate.
  const { ca } = tls
  return new EnvHttpProxyAgent({
    ...options,
    connect,
    requestTls: connect,
    proxyTls: { ...(ca === undefined ? {} : { ca }), ...options.connect },
  })
}

/**
 * Whether Node's `fetch` reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`: the variable is exactly 1, or the
 * command-line option is set.
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
