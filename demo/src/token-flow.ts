import type { ResourceServerEvents } from 'fastify-resource-server'
import type { TokenClientEvents } from 'fastify-token-client'
import { watchChannels } from './live/watch-channels.js'

type Events = TokenClientEvents & ResourceServerEvents

/** One token event, in a sentence. */
export interface TokenStep {
  readonly kind: 'requested' | 'received' | 'sent' | 'verified' | 'replaced' | 'refused' | 'failed' | 'keys'
  readonly text: string
}

/** Event → its description. */
const sentences: { readonly [N in keyof Events]?: (event: Events[N]) => TokenStep } = {
  'fastify-token-client:token-requested': ({ name }) => ({
    kind: 'requested',
    text: `for ${name}, from the issuer, by the Client Credentials Grant`,
  }),
  'fastify-token-client:token-received': ({ name, durationMs, scopes = [] }) => ({
    kind: 'received',
    text: `for ${name} after ${durationMs} ms, with ${scopes.join(' ')}; it is cached`,
  }),
  'fastify-token-client:token-failed': ({ name, reason }) => ({
    kind: 'failed',
    text: `no token for ${name}: ${reason}`,
  }),
  'fastify-token-client:call': ({ name, method, path, cached }) => ({
    kind: 'sent',
    text: `${method} ${path} to ${name}, with ${cached ? 'the cached token' : 'the new token'}`,
  }),
  'fastify-token-client:refused': ({ name, replayed }) =>
    replayed
      ? { kind: 'replaced', text: `${name} refused the cached token, so the call is repeated with a new one` }
      : { kind: 'refused', text: `by ${name}` },
  'fastify-resource-server:allow': ({ clientId, audience, scopes, durationMs }) => ({
    kind: 'verified',
    text: `${clientId}'s token in ${durationMs.toFixed(2)} ms: for ${audience.join(', ')}, with ${scopes.join(' ')}`,
  }),
  'fastify-resource-server:deny': ({ statusCode, reason, detail }) => ({
    kind: 'refused',
    text: `with ${statusCode}: ${reason}${detail === undefined ? '' : ` (${detail})`}`,
  }),
  'fastify-resource-server:keys': ({ issuer, kids }) => ({
    kind: 'keys',
    text: `of ${issuer}: ${kids.join(', ')}`,
  }),
  'fastify-resource-server:keys-failed': ({ issuer, message }) => ({
    kind: 'failed',
    text: `no keys from ${issuer}: ${message}`,
  }),
}

/**
 * Calls the listener for every token event.
 * @returns a function that stops this
 */
export function watchTokens(listener: (step: TokenStep) => void): () => void {
  const handlers = Object.entries(sentences).map(([name, tell]) => [
    name,
    (event: unknown): void => listener((tell as (event: unknown) => TokenStep)(event)),
  ])
  return watchChannels<Record<string, unknown>>(Object.fromEntries(handlers) as Record<string, () => void>)
}
