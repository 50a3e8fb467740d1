import type { AskForToken, TokenAnswer } from '../acquire/ask-for-token.js'
import { notify, report } from '../diagnostics.js'
import type { Settings } from '../options/settings.js'
import { schedule } from '../token.js'
import { shareTokens } from './share-tokens.js'
import type { TokenStore } from './token-store.js'

export type OnStoreFailure = (operation: keyof TokenStore, reason: string) => void

/** Shares tokens through the configured store, if there is one. */
export function shareBetweenProcesses(
  ask: AskForToken,
  {
    key,
    settings: { sharing, name, lifetimes, now, issuerTimeoutMs },
    onFailure,
  }: { key: string; settings: Settings; onFailure: OnStoreFailure | undefined },
): AskForToken {
  if (sharing === undefined) return ask
  const timesOf = ({ requestedAt, expiresIn }: TokenAnswer): ReturnType<typeof schedule> =>
    schedule({ requestedAt, expiresIn, tookMs: 0 }, lifetimes, 0)
  return shareTokens(ask, {
    ...sharing,
    key,
    freshUntil: answer => timesOf(answer).renewAt,
    expiresAt: answer => timesOf(answer).expiresAt,
    requestTimeoutMs: issuerTimeoutMs,
    now,
    onStoreFailure(operation, reason) {
      notify(() => onFailure?.(operation, reason))
      report('fastify-token-client:store-failed', { name, operation, reason })
    },
  })
}
