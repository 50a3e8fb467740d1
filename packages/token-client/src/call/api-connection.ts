import type { Dispatcher } from 'undici'
import { createAgent, type TlsSettings } from 'oauth-issuer-connection'
import type { TokenScheme } from '../attach/token-scheme.js'
import { loadUndici } from './load-undici.cjs'

/** How calls reach the API; all views of a client share it. */
export interface ApiConnection {
  /** The dispatcher that calls are sent through; opened by the first call. */
  readonly dispatcher: () => Dispatcher
  readonly scheme: TokenScheme
  /** Closes the dispatcher, unless it was given, after the calls that are running. */
  readonly close: () => Promise<void>
}

/** @param given used instead of an agent of our own, and never closed */
export function connectToApi(
  given: Dispatcher | undefined,
  tls: TlsSettings,
  scheme: TokenScheme,
): ApiConnection {
  let agent: Dispatcher | undefined
  let isClosed = false
  return {
    scheme,
    dispatcher() {
      if (given !== undefined) return given
      if (agent === undefined) {
        agent = createAgent(loadUndici(), tls)
        if (isClosed) void agent.close() // calls fail with undici's own error
      }
      return agent
    },
    async close() {
      isClosed = true
      await agent?.close()
    },
  }
}
