import { clip, messageOf } from 'oauth-issuer-connection'
import { report } from '../diagnostics.js'
import { InvalidOptionError } from '../errors.js'
import { readTarget, type Target } from '../options/target-options.js'
import type { TokenSource } from '../options/token-source-option.js'
import { untilAborted } from '../until-aborted.js'
import type { TokenAnswer } from './ask-for-token.js'
import { readSourcedToken } from './sourced-token.js'
import { TokenRequestFailure } from './token-request-failure.js'
import type { TokenOrigin } from './token-origin.js'

/** The settings of the client that requests tokens. */
interface Caller {
  readonly name: string
  readonly issuerTimeoutMs: number
  readonly now: () => number
}

/** Gets tokens from the user's `tokenSource` function. */
export function tokensFromFunction(
  source: TokenSource,
  { name, issuerTimeoutMs: timeoutMs, now }: Caller,
): TokenOrigin {
  const closing = new AbortController()

  async function ask(target: Target): Promise<TokenAnswer | TokenRequestFailure> {
    report('fastify-token-client:token-requested', { name })
    const requestedAt = now()
    const late = new AbortController()
    const timer = setTimeout(
      () => late.abort(new Error(`no token was returned within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const signal = AbortSignal.any([late.signal, closing.signal])
    try {
      const returned: unknown = await untilAborted(() => source({ ...target, signal }), signal)
      return readSourcedToken(returned, requestedAt)
    } catch (error) {
      return new TokenRequestFailure(`tokenSource failed: ${clip(messageOf(error))}`)
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    forClient(given) {
      const target = readTarget(given)
      return { key: JSON.stringify(target), ask: () => ask(target) }
    },
    onBehalfOf() {
      throw new InvalidOptionError(
        'onBehalfOf requires a token endpoint, but this client gets its tokens from the function tokenSource',
      )
    },
    async close() {
      closing.abort(new Error('the client was closed'))
    },
  }
}
